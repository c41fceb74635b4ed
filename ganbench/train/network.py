"""A network as a function of one flat parameter vector, as the papers write it: D(x; theta)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

Buffers = dict[str, Tensor]


class Network:
    """One module's structure, without its numbers: ``network.call(theta, buffers, x)``.

    One vector a player keeps update rules readable (theta - lr * gradient), makes every optimiser a handful of
    operations whatever the depth, and gives the compiled step few inputs.

    ``bfloat16``: its matrix products are in bfloat16, as torch.autocast has it; parameters and outputs stay float32.
    """

    def __init__(self, module: nn.Module, *, bfloat16: bool = False) -> None:
        self.module = module
        self._bfloat16 = bfloat16
        named = dict(module.named_parameters())
        self._names = tuple(named)
        self._shapes = tuple(parameter.shape for parameter in named.values())
        self._sizes = [parameter.numel() for parameter in named.values()]

    @property
    def parameters(self) -> int:
        """The length of theta."""
        return sum(self._sizes)

    def call(self, theta: Tensor, buffers: Buffers, x: Tensor) -> Tensor:
        """The output for one model: theta (parameters,), x (batch, ...)."""
        return self.apply(self.tensors(theta, buffers), x, self.module)

    def tensors(self, theta: Tensor, buffers: Buffers) -> dict[str, Tensor]:
        """All tensors of one model by their names in the module; the parameters are views of theta."""
        pieces = torch.split(theta, self._sizes)
        named = zip(self._names, pieces, self._shapes, strict=True)
        return {**{name: piece.view(shape) for name, piece, shape in named}, **buffers}

    def apply(self, tensors: dict[str, Tensor], x: Tensor, module: nn.Module) -> Tensor:
        """The output for one model, given as its tensors, of ``module``: this one, or a twin of it in another mode."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._bfloat16, cache_enabled=False):
            output: Tensor = functional_call(module, tensors, (x,))
        return output.to(x.dtype)


def flatten(module: nn.Module) -> Tensor:
    """A module's parameters as one float32 vector, a copy."""
    return torch.cat([parameter.detach().reshape(-1) for parameter in module.parameters()]).float()


def buffers_of(module: nn.Module) -> Buffers:
    """A copy of a module's buffers by name."""
    return {name: buffer.detach().clone() for name, buffer in module.named_buffers()}


def stack(modules: Sequence[nn.Module], device: torch.device) -> tuple[Tensor, Buffers]:
    """The parameters of like modules, (replicas, parameters), and their buffers, stacked in the same way."""
    theta = torch.stack([flatten(module) for module in modules]).to(device)
    each = [buffers_of(module) for module in modules]
    return theta, {name: torch.stack([one[name] for one in each]).to(device) for name in each[0]}
