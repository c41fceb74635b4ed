"""What methods make of an architecture's networks: another last layer, the layers before it, a D of pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def split_head(discriminator: nn.Module) -> tuple[nn.Sequential, int]:
    """The layers before a discriminator's last, and how many features they give of a sample: (trunk, width).

    The layers are the discriminator's own: what is made of them shares them. Raises ValueError where the network is not
    an ``nn.Sequential`` that ends in ``nn.Linear``.
    """
    if not isinstance(discriminator, nn.Sequential) or not isinstance(discriminator[-1], nn.Linear):
        raise ValueError("the architecture's discriminator must be an nn.Sequential that ends in nn.Linear")
    return discriminator[:-1], discriminator[-1].in_features


def with_head(discriminator: nn.Module, outputs: int) -> nn.Sequential:
    """A discriminator's layers with another last one, (batch, *shape) -> (batch, outputs); raises as ``split_head``."""
    trunk, width = split_head(discriminator)
    return nn.Sequential(*trunk, nn.Linear(width, outputs))


class Joint(nn.Module):
    """D(x, z) of a network for samples with more channels: z stands beside x, the same at every pixel."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """What the network makes of both: x (batch, channels, ...), z (batch, ...)."""
        z = z.flatten(1)
        beside = z.reshape(*z.shape, *[1] * (x.dim() - 2)).expand(*z.shape, *x.shape[2:])
        output: Tensor = self.network(torch.cat([x, beside], dim=1))
        return output
