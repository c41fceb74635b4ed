"""What plugins share: a D's layers before its last, another last one, a D of pairs; norms and sizes of images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Norms of images by name, each without running averages, as the layers to put in: (channels) -> none or one.
IMAGE_NORMS: dict[str, Callable[[int], list[nn.Module]]] = {
    "batch": lambda channels: [nn.BatchNorm2d(channels, track_running_stats=False)],
    "layer": lambda channels: [nn.GroupNorm(1, channels)],
    "instance": lambda channels: [nn.GroupNorm(channels, channels)],
    "none": lambda channels: [],
}
#: These take a bias away again, and rounding alone would move it.
CENTRING = ("batch", "instance")


def halvings(name: str, shape: tuple[int, ...]) -> list[int]:
    """The sizes of an image that is halved until fewer than 8 pixels are left, its own first.

    Raises ValueError, which names the architecture, for what is no square image (channels, size, size) of 8 or more.
    """
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] < 8:
        raise ValueError(f"{name} needs images, shape (channels, size, size) with a size of 8 or more, not {shape}")
    sizes = [shape[1]]
    while sizes[-1] >= 8:
        sizes.append(sizes[-1] // 2)
    return sizes


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
