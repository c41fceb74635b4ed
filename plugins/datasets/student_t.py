"""Ring of heavy tails: modes are Student-t in the plane (Kotz & Nadarajah 2004, doi:10.1017/CBO9780511550683).

With ``freedom`` nu, a mode reaches beyond a distance r with probability (1 + r^2 / (nu scale^2))^(-nu/2), where a
Gaussian has exp(-r^2 / (2 scale^2)). Its variance is infinite up to nu = 2; 1 is Cauchy's.
"""

import math
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from ganbench import Dataset, hookimpl


class StudentT:
    """Equally likely modes about ``means`` (modes, 2)."""

    shape = (2,)

    def __init__(self, means, scale, freedom):
        self.means, self.scale, self.freedom = np.array(means), scale, freedom

    def sample(self, n, generator):
        device = generator.device
        mode = torch.randint(len(self.means), (n,), generator=generator, device=device)
        beyond, turn = torch.rand(2, n, generator=generator, device=device)
        # The radius that is exceeded with this probability, from (0, 1].
        radius = self.scale * (self.freedom * torch.expm1(-2 / self.freedom * torch.log1p(-beyond))).sqrt()
        angle = 2 * math.pi * turn
        means = torch.tensor(self.means, dtype=torch.float32, device=device)
        return means[mode] + radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)

    def log_density(self, x):
        squared = ((np.asarray(x, np.float64) - self.means[:, None]) ** 2).sum(axis=2) / self.scale**2
        log_norm = math.log(2 * math.pi * self.scale**2 * len(self.means))
        return np.logaddexp.reduce(-(self.freedom / 2 + 1) * np.log1p(squared / self.freedom)) - log_norm


def student_t(
    *,
    modes: PositiveInt = 8,
    radius: PositiveFloat = 2.0,
    scale: PositiveFloat = 0.05,
    freedom: Annotated[float, Field(ge=1, le=1000)] = 3.0,
):
    angles = [2 * math.pi * k / modes for k in range(modes)]
    return StudentT([[radius * math.cos(a), radius * math.sin(a)] for a in angles], scale, freedom)


@hookimpl
def ganbench_datasets():
    yield Dataset("student-t", student_t)
