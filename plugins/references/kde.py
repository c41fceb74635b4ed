"""Kernel density estimate with Gaussian kernels (Parzen 1962, doi:10.1214/aoms/1177704472), which is a generator too.

Its width maximises the leave-one-out likelihood (Duin 1976, doi:10.1109/TC.1976.1674577) of 512 centres, on a grid of
24 widths, unless ``bandwidth`` gives it in units of the data. Every density costs all centres, so there are at most
``centres`` of them: training points, drawn at random. Cost: 0.1 s a seed in the plane, 0.3 s in 784 dimensions, and
0.1 to 0.5 s for 10,000 densities, one thread.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl


@dataclass(frozen=True)
class Kernels:
    """A Gaussian of one width around each centre."""

    centres: Tensor
    bandwidth: float

    @property
    def shape(self):
        return tuple(self.centres.shape[1:])

    def sample(self, n, generator):
        device = generator.device
        centres = self.centres.to(device)[torch.randint(len(self.centres), (n,), generator=generator, device=device)]
        return centres + self.bandwidth * torch.randn(centres.shape, generator=generator, device=device)

    def log_density(self, x):
        x = torch.as_tensor(np.asarray(x, dtype=np.float64), device=self.centres.device)
        norm = self.centres[0].numel() * log(self.bandwidth * (2 * pi) ** 0.5) + log(len(self.centres))
        # In blocks: with 1000 centres each takes 8 MB.
        sums = [log_kernels(squared_distances(block, self.centres), self.bandwidth) for block in x.split(1000)]
        return (torch.cat(sums) - norm).cpu().numpy()


def fit(training, random, *, bandwidth: PositiveFloat | None = None, centres: PositiveInt = 1000):
    kept = training[torch.randperm(len(training), generator=random, device=random.device)[:centres]]
    return Kernels(kept, likeliest(kept) if bandwidth is None else bandwidth)


def likeliest(centres, judged=512, steps=24):
    """The width that makes each of ``judged`` centres likeliest in the light of all others."""
    flat = centres.flatten(1).double()
    # From differences, unlike below: which points are the same must not be a matter of rounding.
    squared = torch.cdist(flat[:judged], flat, compute_mode="donot_use_mm_for_euclid_dist").square()
    squared.fill_diagonal_(torch.inf)
    nearest = squared.min(dim=1).values
    nearest = nearest[nearest.isfinite() & (nearest > 0)]
    if not len(nearest):
        raise ValueError("bandwidth must be given: no two of the training points differ")
    size = flat.shape[1]
    low = (nearest.median() / size).sqrt().item() / 4
    spread = flat.var(dim=0).mean().sqrt().item()
    widths = np.geomspace(low, max(2 * spread, 4 * low), steps).tolist()
    return max(widths, key=lambda width: (log_kernels(squared, width).mean() - size * log(width)).item())


def squared_distances(x, y):
    """Between all rows, in float64: (n, *shape), (m, *shape) -> (n, m)."""
    x, y = x.double().flatten(1), y.double().flatten(1)
    centre = y.mean(dim=0)
    x, y = x - centre, y - centre
    return (x.square().sum(dim=1, keepdim=True) + y.square().sum(dim=1) - 2 * x @ y.T).clamp(min=0)


def log_kernels(squared, width):
    """The logarithm of the sum over centres of exp(-squared / 2 width^2)."""
    return (squared / (-2 * width**2)).logsumexp(dim=1)


@hookimpl
def ganbench_references():
    yield Reference("kde", fit)
