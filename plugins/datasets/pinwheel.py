"""Pinwheel of bent Gaussian arms (Johnson et al. 2016, arXiv:1603.06277), as large as FFJORD's public code has it.

Public code turns a point by its coordinate along the arm, this by its distance from the origin, which is nearly the
same; but it leaves areas as they are, and so the density is exact.
"""

import math

import numpy as np
import torch
from pydantic import FiniteFloat, PositiveFloat, PositiveInt

from ganbench import Dataset, hookimpl


class Pinwheel:
    """``scale`` x N((1, 0), diag(radial, tangential)^2), turned by an arm's angle and by ``rate`` e^distance."""

    shape = (2,)

    def __init__(self, arms, scale, radial, tangential, rate):
        self.arms, self.scale, self.radial, self.tangential, self.rate = arms, scale, radial, tangential, rate

    def sample(self, n, generator):
        device = generator.device
        arm = torch.randint(self.arms, (n,), generator=generator, device=device)
        x, y = torch.randn(2, n, generator=generator, device=device)
        x, y = 1 + self.radial * x, self.tangential * y
        angle = 2 * math.pi / self.arms * arm + self.rate * torch.hypot(x, y).exp()
        cos, sin = angle.cos(), angle.sin()
        return self.scale * torch.stack([cos * x + sin * y, cos * y - sin * x], dim=1)

    def log_density(self, x):
        x, y = np.asarray(x, np.float64).T / self.scale
        distance = np.minimum(np.hypot(x, y), 30.0)  # further out a turn makes no difference
        angle = 2 * math.pi / self.arms * np.arange(self.arms)[:, None] + self.rate * np.exp(distance)
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = cos * x - sin * y, cos * y + sin * x
        log_norm = math.log(2 * math.pi * self.radial * self.tangential * self.scale**2 * self.arms)
        return np.logaddexp.reduce(-(((x - 1) / self.radial) ** 2 + (y / self.tangential) ** 2) / 2) - log_norm


def pinwheel(
    *,
    arms: PositiveInt = 5,
    scale: PositiveFloat = 2.0,
    radial: PositiveFloat = 0.3,
    tangential: PositiveFloat = 0.1,
    rate: FiniteFloat = 0.25,
):
    return Pinwheel(arms, scale, radial, tangential, rate)


@hookimpl
def ganbench_datasets():
    yield Dataset("pinwheel", pinwheel)
