"""A network as a function of one flat parameter vector, as the papers write it: D(x; theta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_map

from ganbench.core.errors import PluginError

Buffers = dict[str, Tensor]


class MultiNetwork(nn.Module):
    """A player of several networks, by name: they have one parameter vector, and may share layers."""

    def __init__(self, main: nn.Module, parts: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.main = main
        self.parts = nn.ModuleDict(parts)

    def forward(self, part: str, *inputs: Tensor, **options: Any) -> Any:
        """Call one of the networks.

        Args:
            part: the network's name, or "" for the main one
            inputs: what the network is called with
            options: keyword arguments of the network

        Returns:
            The network's output.
        """
        return (self.parts[part] if part else self.main)(*inputs, **options)


def as_one_module(main: nn.Module, parts: Mapping[str, nn.Module]) -> nn.Module:
    """A player's module: the main network itself, or a MultiNetwork where there are further parts."""
    return MultiNetwork(main, parts) if parts else main


class FlatNetwork:
    """One module's structure, without its numbers: ``network.call(theta, buffers, x)``.

    One vector for each player keeps update rules readable (theta - lr * gradient), makes every optimiser a few
    operations whatever the depth, and gives the compiled step few inputs.

    ``bfloat16``: matrix products are computed in bfloat16, by torch.autocast; parameters and outputs stay float32.
    """

    def __init__(self, module: nn.Module, *, bfloat16: bool = False) -> None:
        self.module = module
        self.bfloat16 = bfloat16
        named = dict(module.named_parameters())
        self._names = tuple(named)
        self._tied = _tied(module)
        #: The shape of each parameter, in the order in which theta holds them.
        self.shapes = tuple(parameter.shape for parameter in named.values())
        #: The same for each network of a player that has several; a layer that two share is the first one's.
        self.networks = tuple(
            tuple(parameter.shape for name, parameter in named.items() if name.startswith(prefix))
            for prefix in _prefixes(module)
        )
        self._sizes = [parameter.numel() for parameter in named.values()]

    def exact(self) -> FlatNetwork:
        """The same network, computed in float32."""
        return FlatNetwork(self.module)

    @property
    def parameters(self) -> int:
        """The length of theta."""
        return sum(self._sizes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the module's parameters and buffers; of a tensor that two modules share, the first."""
        return (*self._names, *(name for name, _ in self.module.named_buffers()))

    def call(self, theta: Tensor, buffers: Buffers, *inputs: Tensor, part: str = "", **options: Any) -> Any:
        """The output of one model.

        Args:
            theta: the model's parameters, (parameters,)
            buffers: the model's buffers by name
            inputs: what the network is called with, each (batch, ...)
            part: the name of a further network of the player; "" for the main one
            options: keyword arguments of the network

        Returns:
            The output, in the type of the first input: a tensor, or what the network returns with tensors in it.
        """
        tensors = self.tensors(theta, buffers)
        output = self.apply(tensors, inputs, self.module, part, options)
        # The call leaves here what the network has put in place of its own.
        for name, buffer in buffers.items():
            if tensors[name] is not buffer:
                raise PluginError(
                    f"a network's forward sets its buffer {name!r} to another tensor, and buffers are held fixed: "
                    "compute it from the batch at hand, or keep it in a penalty's memory"
                )
        return output

    def network(self, part: str) -> nn.Module:
        """The module of a further network of the player; "" for the main one."""
        module = self.module
        return (module.parts[part] if part else module.main) if isinstance(module, MultiNetwork) else module

    def tensors(self, theta: Tensor, buffers: Buffers) -> dict[str, Tensor]:
        """All tensors of one model by their names in the module; the parameters are views of theta."""
        pieces = torch.split(theta, self._sizes)
        named = zip(self._names, pieces, self.shapes, strict=True)
        own = {**{name: piece.view(shape) for name, piece, shape in named}, **buffers}
        return own | {name: own[first] for name, first in self._tied.items()}

    def apply(
        self,
        tensors: dict[str, Tensor],
        inputs: tuple[Tensor, ...],
        module: nn.Module,
        part: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """The output of one model, which is given as its tensors.

        Args:
            tensors: the model's parameters and buffers by name, as ``tensors()`` gives them
            inputs: what the network is called with, each (batch, ...)
            module: the module to call: this network's own, or a copy of it, such as one in evaluation mode
            part: the name of a further network of the player; "" for the main one
            options: keyword arguments of the network

        Returns:
            The output, in the type of the first input.
        """
        arguments = (part, *inputs) if isinstance(module, MultiNetwork) else inputs
        # On meta, where nothing is computed, torch has no autocast.
        kind = "cpu" if inputs[0].is_meta else inputs[0].device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self.bfloat16, cache_enabled=False):
            # With torch's own tie_weights, a module that stands twice in the network keeps the tensors of the call.
            output: Any = functional_call(module, tensors, arguments, dict(options or {}), tie_weights=False)
        dtype = inputs[0].dtype
        # Nearly always one tensor; a discriminator may give features beside its logits, where it is asked to.
        return output.to(dtype) if isinstance(output, Tensor) else tree_map(partial(_to, dtype=dtype), output)


def _to(leaf: Any, dtype: torch.dtype) -> Any:
    return leaf.to(dtype) if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf


def _prefixes(module: nn.Module) -> list[str]:
    """What the names of each network's parameters begin with, in order."""
    if not isinstance(module, MultiNetwork):
        return [""]
    return ["main.", *(f"parts.{name}." for name in module.parts)]


def _tied(module: nn.Module) -> dict[str, str]:
    """Further names of tensors that two modules share, with the first name; a module that stands twice counts once."""
    first: dict[int, str] = {}
    again: dict[str, str] = {}
    for prefix, part in module.named_modules():
        for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            full = f"{prefix}.{name}".lstrip(".")
            if first.setdefault(id(tensor), full) != full:
                again[full] = first[id(tensor)]
    return again


def flatten(module: nn.Module) -> Tensor:
    """A module's parameters as one float32 vector, a copy."""
    return torch.cat([parameter.detach().reshape(-1) for parameter in module.parameters()]).float()


def buffers_of(module: nn.Module) -> Buffers:
    """A copy of a module's buffers by name."""
    return {name: buffer.detach().clone() for name, buffer in module.named_buffers()}


def stack(modules: Sequence[nn.Module], device: torch.device) -> tuple[Tensor, Buffers]:
    """The parameters of modules of one structure, (replicas, parameters), and their buffers, stacked alike."""
    theta = torch.stack([flatten(module) for module in modules]).to(device)
    each = [buffers_of(module) for module in modules]
    return theta, {name: torch.stack([one[name] for one in each]).to(device) for name in each[0]}
