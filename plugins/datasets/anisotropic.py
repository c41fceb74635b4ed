"""Ring of elongated Gaussians, ten times as long as wide by default, each turned its own way; no citation.

``lean`` is the angle, in degrees, between a mode's long axis and the line from the origin: spokes at 0, a chain along
the ring at 90. What generators do to a mode, squeeze it to a line, is what these look like when they are right.
"""

import math

import numpy as np
import torch
from pydantic import FiniteFloat, PositiveFloat, PositiveInt

from ganbench import Dataset, hookimpl


class Gaussians:
    """Equally likely N(mean, factor factor^T): ``means`` (modes, d), ``factors`` (modes, d, d)."""

    def __init__(self, means, factors):
        self.means, self.factors = np.array(means), np.array(factors)
        self.shape = self.means.shape[1:]

    def sample(self, n, generator):
        device = generator.device
        mode = torch.randint(len(self.means), (n,), generator=generator, device=device)
        normal = torch.randn(n, *self.shape, generator=generator, device=device)
        means, factors = (torch.tensor(each, dtype=torch.float32, device=device) for each in (self.means, self.factors))
        return means[mode] + (factors[mode] @ normal[:, :, None])[:, :, 0]

    def log_density(self, x):
        z = np.einsum("kij,knj->kni", np.linalg.inv(self.factors), np.asarray(x, np.float64) - self.means[:, None])
        log_norm = np.linalg.slogdet(self.factors)[1] + z.shape[2] / 2 * math.log(2 * math.pi) + math.log(len(z))
        return np.logaddexp.reduce(-(z**2).sum(axis=2) / 2 - log_norm[:, None])


def anisotropic(
    *,
    modes: PositiveInt = 8,
    radius: PositiveFloat = 2.0,
    along: PositiveFloat = 0.2,
    across: PositiveFloat = 0.02,
    lean: FiniteFloat = 45.0,
):
    means, factors = [], []
    for k in range(modes):
        place, turn = 2 * math.pi * k / modes, 2 * math.pi * k / modes + math.radians(lean)
        means.append([radius * math.cos(place), radius * math.sin(place)])
        factors.append(
            [[along * math.cos(turn), -across * math.sin(turn)], [along * math.sin(turn), across * math.cos(turn)]]
        )
    return Gaussians(means, factors)


@hookimpl
def ganbench_datasets():
    yield Dataset("anisotropic", anisotropic)
