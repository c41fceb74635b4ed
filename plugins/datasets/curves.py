"""Moons and swiss roll: curves with Gaussian noise, after scikit-learn (Pedregosa et al. 2011, arXiv:1201.0490).

Places on a curve are drawn at random, where scikit-learn spaces those of its moons evenly. The density is an integral
along the curve, by Gauss and Legendre's rule of 32 nodes in pieces no longer than 18 std of the noise: right to seven
digits, and a mixture of so many Gaussians.
"""

import math

import numpy as np
import torch
from pydantic import PositiveFloat

from ganbench import Dataset, Mixture, hookimpl


class Curve:
    """``curve`` maps u in [0, 1), uniform, to the plane, no faster than ``speed``; (n,) -> (n, 2)."""

    shape = (2,)

    def __init__(self, curve, speed, noise):
        self.curve, self.noise = curve, noise
        node, weight = np.polynomial.legendre.leggauss(32)
        pieces = 2 * math.ceil(speed / (36 * noise))  # an even number: a curve in two halves is cut where they meet
        u = (np.arange(pieces)[:, None] + (node + 1) / 2) / pieces
        self._density = Mixture(curve(torch.tensor(u.ravel())).numpy(), noise, np.tile(weight, pieces))

    def sample(self, n, generator):
        u = torch.rand(n, generator=generator, device=generator.device)
        normal = torch.randn(n, 2, generator=generator, device=generator.device)
        return self.curve(u) + self.noise * normal

    def log_density(self, x):
        parts = 1 + len(x) * self._density.modes // 2**22  # a row for each node takes memory
        return np.concatenate([self._density.log_density(part) for part in np.array_split(x, parts)])


def moons(*, noise: PositiveFloat = 0.1):
    """Two half circles of radius 1, hooked into each other (scikit-learn: Pedregosa et al. 2011, arXiv:1201.0490)."""

    def arcs(u):
        lower = (u >= 0.5).to(u.dtype)
        angle = math.pi * (2 * u - lower)
        return torch.stack([lower + (1 - 2 * lower) * angle.cos(), 0.5 * lower + (1 - 2 * lower) * angle.sin()], dim=1)

    return Curve(arcs, 2 * math.pi, noise)


def swiss_roll(*, noise: PositiveFloat = 0.25, scale: PositiveFloat = 7.5):
    """Swiss roll seen from its end, all over ``scale`` (as in WGAN-GP: Gulrajani et al. 2017, arXiv:1704.00028)."""

    def roll(u):
        angle = 1.5 * math.pi * (1 + 2 * u)
        return (angle / scale)[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)

    fastest = 3 * math.pi / scale * math.hypot(1, 4.5 * math.pi)
    return Curve(roll, fastest, noise / scale)


@hookimpl
def ganbench_datasets():
    yield Dataset("moons", moons)
    yield Dataset("swiss-roll", swiss_roll)
