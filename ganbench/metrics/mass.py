"""How a generator's mass is distributed over the modes of a mixture, and how much is far from all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import scipy
from scipy.special import ndtr

from ganbench.data.mixture import Mixture
from ganbench.metrics.modes import nearest_mode
from ganbench.metrics.points import SEED

FIVE_STD = float(2 * ndtr(-5))  # 5.7e-7: the mass outside 5 std on a line
SAMPLE = 200_000


@dataclass(frozen=True)
class Mass:
    """Shares of all samples. ``floor``: the expected ``total_variation`` of the data itself."""

    total_variation: float
    floor: float
    stray: float


def mass(samples: np.ndarray, mixture: Mixture) -> Mass:
    """Compare the modes' shares of ``samples``, shape (n, dimension), with their shares of the data.

    Every finite sample belongs to its nearest mode, in std of the mode, however far it is: half the sum of the absolute
    differences is the total variation, from 0 to 1. Rows that are not finite are mass where the data has none.
    ``stray`` is the share of samples that are not finite, or farther from every mode than ``stray_radius``: 5 std on a
    line, and in more dimensions the radius with as much of a mode outside (5.36 std in two). Raises ValueError where
    the shapes do not match.
    """
    mode, distance = nearest_mode(samples, mixture)
    n = len(samples)
    share, data = np.bincount(mode, minlength=mixture.modes) / n, data_shares(mixture)
    near = int((distance <= stray_radius(mixture.dimension)).sum())
    return Mass(
        total_variation=float(np.abs(share - data).sum() + 1 - len(mode) / n) / 2,
        floor=float(np.sqrt(data * (1 - data) / (2 * math.pi * n)).sum()),
        stray=1 - near / n,
    )


@cache
def stray_radius(dimension: int) -> float:
    """The radius, in std, with as much of a Gaussian outside it as there is outside 5 std on a line."""
    return float(scipy.stats.chi(dimension).isf(FIVE_STD))


@lru_cache(maxsize=16)
def data_shares(mixture: Mixture) -> np.ndarray:
    """The share of the data that is nearest to each mode, shape (modes,).

    These are the weights where the modes are far apart; otherwise they are counted in a fixed sample of 200,000.
    """
    # Within this many std of its own mode a point is nearer to no other mode.
    reach = scipy.spatial.distance.cdist(mixture.means, mixture.means) / (mixture.std[:, None] + mixture.std)
    np.fill_diagonal(reach, np.inf)
    if reach.min() > stray_radius(mixture.dimension):
        return mixture.weights
    random = np.random.default_rng(SEED)
    counts = np.zeros(mixture.modes)
    for mode, n in enumerate(random.multinomial(SAMPLE, mixture.weights)):
        if n:
            points = mixture.means[mode] + mixture.std[mode] * random.standard_normal((n, mixture.dimension))
            counts += np.bincount(nearest_mode(points, mixture)[0], minlength=mixture.modes)
    counts /= SAMPLE
    counts.setflags(write=False)
    return counts
