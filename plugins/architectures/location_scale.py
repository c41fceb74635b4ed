"""A generator that moves and widens its latents, and no more: G(z) = mu + sigma z makes one Gaussian, and fits it.

f-GAN's example (Nowozin et al. 2016, arXiv:1606.00709, section 3): which Gaussian is best depends on the divergence.
sigma is the parameter itself and may become negative: the same Gaussian. Each coordinate has its own. The discriminator
has ``depth`` hidden layers of ``width``, with tanh.
"""

from itertools import pairwise
from math import prod

import torch
from pydantic import PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl


class LocationScale(nn.Module):
    """mu + sigma z; begins near the standard normal distribution."""

    def __init__(self, shape):
        super().__init__()
        self.mu = nn.Parameter(0.1 * torch.randn(shape))
        self.sigma = nn.Parameter(1 + 0.1 * torch.randn(shape))

    def forward(self, z):
        return self.mu + self.sigma * z.view(-1, *self.mu.shape)


def location_scale(shape, *, width: PositiveInt = 64, depth: PositiveInt = 2):
    sizes = [prod(shape)] + [width] * depth
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.Tanh())]
    return Networks(LocationScale(shape), nn.Sequential(nn.Flatten(), *layers, nn.Linear(width, 1)), (prod(shape),))


@hookimpl
def ganbench_architectures():
    yield Architecture("location-scale", location_scale)
