"""ResNet GAN (Miyato et al. 2018, arXiv:1802.05957, table 4): pre-activation residual blocks, batch and spectral norm.

Square images of 8 pixels and more: the generator starts from 4 to 7 pixels. The discriminator halves once less (once at
least), then has two plain blocks and sums over pixels; without spectral norm it takes their mean, as WGAN-GP's does
(Gulrajani et al. 2017, arXiv:1704.00028: ``layer``). ``channels`` is its width, 128 in the paper; the generator is
twice as wide, 256. As in public code, weights start by Glorot's rule, times sqrt 2 on the residual path.
Parameters on digits: G 85,985, D 11,809; CIFAR-10: G 125,731, D 17,041; the paper's: G 4,274,435, D 1,053,825.
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ganbench import Architecture, Networks, hookimpl, spectral_norm
from ganbench.nn.layers import halvings

NORMS = {
    "batch": lambda channels: nn.BatchNorm2d(channels, track_running_stats=False),
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "instance": lambda channels: nn.GroupNorm(channels, channels),
    "none": lambda channels: nn.Identity(),
    "spectral": lambda channels: nn.Identity(),
}
#: These take a block's biases away again, at the latest before the last layer, and rounding alone would move them.
CENTRING = ("batch", "instance")


class Up(nn.Module):
    """A residual block that draws twice as large, at ``size`` pixels."""

    def __init__(self, channels, size, norm):
        super().__init__()
        self.size = size
        self.norms = nn.ModuleList([NORMS[norm](channels), NORMS[norm](channels)])
        bias = norm not in CENTRING
        self.convs = nn.ModuleList([conv(channels, channels, 3, bias), conv(channels, channels, 3, bias)])
        self.shortcut = conv(channels, channels, 1, bias)

    def forward(self, x):
        h = self.convs[0](interpolate(relu(self.norms[0](x)), size=self.size))
        h = self.convs[1](relu(self.norms[1](h)))
        # 1 x 1 convolution and nearest neighbours commute, and the smaller image is a quarter of the work.
        return h + interpolate(self.shortcut(x), size=self.size)


class Down(nn.Module):
    """A residual block that halves, or keeps the size; the ``first`` takes the image as it is."""

    def __init__(self, inputs, channels, norm, *, halve, first=False):
        super().__init__()
        self.halve, self.first = halve, first
        self.norms = nn.ModuleList([nn.Identity() if first else NORMS[norm](inputs), NORMS[norm](channels)])
        bias = norm not in CENTRING
        self.convs = nn.ModuleList([conv(inputs, channels, 3, bias), conv(channels, channels, 3, bias)])
        self.shortcut = conv(inputs, channels, 1, bias) if halve else nn.Identity()

    def forward(self, x):
        h = self.convs[0](x if self.first else relu(self.norms[0](x)))
        h = self.convs[1](relu(self.norms[1](h)))
        return avg_pool2d(h, 2) + self.shortcut(avg_pool2d(x, 2)) if self.halve else h + x


class Pool(nn.Module):
    """The sum over pixels, or their mean."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def forward(self, x):
        return self.pool(x, (-2, -1))


def conv(inputs, outputs, size, bias):
    return started(nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias), 2**0.5 if size > 1 else 1.0)


def started(layer, gain=1.0):
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def resnet(
    shape,
    *,
    channels: PositiveInt = 16,
    latent: PositiveInt = 128,
    generator_norm: Literal["batch", "layer", "instance", "none"] = "batch",
    discriminator_norm: Literal["spectral", "batch", "layer", "instance", "none"] = "spectral",
):
    sizes = halvings("resnet", shape)
    wide = 2 * channels
    generator = nn.Sequential(
        started(nn.Linear(latent, wide * sizes[-1] ** 2)),
        nn.Unflatten(1, (wide, sizes[-1], sizes[-1])),
        *(Up(wide, size, generator_norm) for size in sizes[-2::-1]),
        NORMS[generator_norm](wide),
        nn.ReLU(),
        started(nn.Conv2d(wide, shape[0], 3, padding=1)),
        nn.Tanh(),
    )
    norm = discriminator_norm
    discriminator = nn.Sequential(
        Down(shape[0], channels, norm, halve=True, first=True),
        *(Down(channels, channels, norm, halve=True) for _ in sizes[3:]),
        *(Down(channels, channels, norm, halve=False) for _ in range(2)),
        NORMS[norm](channels),
        nn.ReLU(),
        Pool(torch.sum if norm == "spectral" else torch.mean),
        started(nn.Linear(channels, 1)),
    )
    if norm == "spectral":
        for layer in [*discriminator.modules()]:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                spectral_norm(layer)
    return Networks(generator, discriminator, (latent,))


@hookimpl
def ganbench_architectures():
    yield Architecture("resnet", resnet)
