"""Helpers for architectures: another last layer for a discriminator, one of pairs, norms and sizes of images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Norms of images by name, without running averages: each is a function of the channels to a list of one layer or none.
IMAGE_NORMS: dict[str, Callable[[int], list[nn.Module]]] = {
    "batch": lambda channels: [nn.BatchNorm2d(channels, track_running_stats=False)],
    "layer": lambda channels: [nn.GroupNorm(1, channels)],
    "instance": lambda channels: [nn.GroupNorm(channels, channels)],
    "none": lambda channels: [],
}
#: These norms cancel the bias of the layer before them, so that only rounding errors would change it.
CENTRING = ("batch", "instance")


class Scale(nn.Module):
    """x times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """The product, of the shape of x."""
        return self.factor * x


def halvings(name: str, shape: tuple[int, ...]) -> list[int]:
    """The sizes of an image that is halved until its size is below 8, the original size first.

    Raises ValueError, which names the architecture (``name``), unless ``shape`` is a square image
    (channels, size, size) with a size of 8 or more.
    """
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] < 8:
        raise ValueError(f"{name} needs images, shape (channels, size, size) with a size of 8 or more, not {shape}")
    sizes = [shape[1]]
    while sizes[-1] >= 8:
        sizes.append(sizes[-1] // 2)
    return sizes


def split_head(discriminator: nn.Module) -> tuple[nn.Sequential, int]:
    """The layers before a discriminator's last one, and the number of features that they output: (trunk, width).

    The layers are not copied: a network built from them shares their parameters. Raises ValueError where the
    discriminator is not an ``nn.Sequential`` that ends in ``nn.Linear``.
    """
    if not isinstance(discriminator, nn.Sequential) or not isinstance(discriminator[-1], nn.Linear):
        raise ValueError("the architecture's discriminator must be an nn.Sequential that ends in nn.Linear")
    return discriminator[:-1], discriminator[-1].in_features


def with_head(discriminator: nn.Module, outputs: int) -> nn.Sequential:
    """A discriminator with a new last layer, (batch, *shape) -> (batch, outputs); raises as ``split_head``."""
    trunk, width = split_head(discriminator)
    return nn.Sequential(*trunk, nn.Linear(width, outputs))


class Joint(nn.Module):
    """D(x, z) from a network for samples with more channels: z is added to x as channels, the same at every pixel."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The network's output for pairs of x (batch, channels, ...) and z (batch, ...)."""
        z = z.flatten(1)
        channels = z.reshape(*z.shape, *[1] * (x.dim() - 2)).expand(*z.shape, *x.shape[2:])
        output: Tensor = self.network(torch.cat([x, channels], dim=1))
        return output
