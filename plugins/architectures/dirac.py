"""Dirac-GAN (Mescheder et al. 2018, arXiv:1801.04406, definition 2.1): a point that moves against a line through 0.

G(z) = theta, whatever z is, and D(x) = psi x, with these two parameters and no others: what the game's own dynamics do
can be seen, and be computed by hand. The public code begins at (1, 1) with a D that is above 0 for what is generated;
here that is psi = -1. With a ``spread`` each seed begins at a point of its own, so far away. For data of more numbers
than one each of them is such a game.
"""

import torch
from pydantic import FiniteFloat, NonNegativeFloat
from torch import nn

from ganbench import Architecture, Networks, hookimpl


class Point(nn.Module):
    """Its output is theta for every latent."""

    def __init__(self, shape, theta, spread):
        super().__init__()
        self.theta = nn.Parameter(theta + spread * torch.randn(shape))

    def forward(self, z):
        return self.theta.expand(z.shape[0], *self.theta.shape)


class Line(nn.Module):
    """The logit psi x."""

    def __init__(self, shape, psi, spread):
        super().__init__()
        self.psi = nn.Parameter(psi + spread * torch.randn(shape))

    def forward(self, x):
        return (self.psi * x).flatten(1).sum(1)


def dirac(shape, *, theta: FiniteFloat = 1.0, psi: FiniteFloat = -1.0, spread: NonNegativeFloat = 0.1):
    return Networks(Point(shape, theta, spread), Line(shape, psi, spread), (1,))


@hookimpl
def ganbench_architectures():
    yield Architecture("dirac", dirac)
