"""Discriminators whose logits are given, in place of a network's own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganbench.testing.game_at_point import Position
from ganbench.train.step.flat_network import Buffers, FlatNetwork


class Sure(FlatNetwork):
    """A discriminator whose logits are scaled, so that the largest of each call is ``logit``."""

    def __init__(self, module: torch.nn.Module, logit: float) -> None:
        super().__init__(module)
        self._logit = logit

    def call(self, *arguments: Any, part: str = "", **options: Any) -> Any:
        """The network's output, scaled where it is logits.

        Args:
            *arguments: as for ``FlatNetwork.call``.
            part: as for ``FlatNetwork.call``; the output of a part is not scaled.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The output.
        """
        output: Any = super().call(*arguments, part=part, **options)
        if part or not isinstance(output, Tensor):
            return output
        flat = output.detach().flatten()
        largest = flat.gather(0, flat.abs().argmax(0, keepdim=True))
        return output * (self._logit / largest)


class Flat(FlatNetwork):
    """A discriminator whose logits are 0 everywhere: its slope is exactly 0, as a ReLU network's can be at a point."""

    def call(self, *arguments: Any, part: str = "", **options: Any) -> Any:
        """The network's output times 0.

        Args:
            *arguments: as for ``FlatNetwork.call``.
            part: as for ``FlatNetwork.call``; the output of a part is the network's own.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The output.
        """
        output: Any = super().call(*arguments, part=part, **options)
        return output if part or not isinstance(output, Tensor) else 0 * output


class TwoLogits(FlatNetwork):
    """A discriminator with two logits: the first for inputs nearest to a real sample, the other to a fake one."""

    def __init__(self, at: Position, logits: tuple[float, float]) -> None:
        super().__init__(at.rules.discriminator.module)
        self._logits = logits
        fake = at.rules.generator.call(at.theta["generator"], at.buffers[1], at.z)
        self._real, self._fake = (x.detach().flatten(1) for x in (at.real, fake))

    def call(self, theta: Tensor, buffers: Buffers, *inputs: Tensor, part: str = "", **options: Any) -> Any:
        """A logit for each sample, which does not depend on the parameters.

        Args:
            theta: as for ``FlatNetwork.call``.
            buffers: as for ``FlatNetwork.call``.
            *inputs: the samples, (batch, *shape), first.
            part: as for ``FlatNetwork.call``; the output of a part is the network's own.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The logits, (batch,).
        """
        output: Any = super().call(theta, buffers, *inputs, part=part, **options)
        if part or not isinstance(output, Tensor):
            return output
        x = inputs[0].detach().flatten(1)
        real = torch.cdist(x, self._real).amin(1) <= torch.cdist(x, self._fake).amin(1)
        return 0 * output.flatten() + torch.where(real, *self._logits).to(x.dtype)
