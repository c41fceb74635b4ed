"""How a generator's mass is shared out among the modes of a mixture, and how much of it lies on none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import chi, norm

from ganbench.data.mixture import Mixture
from ganbench.metrics.modes import nearest_mode
from ganbench.metrics.points import SEED

FIVE_STD = float(2 * norm.sf(5))  # 5.7e-7: what lies beyond 5 std on a line
SAMPLE = 200_000


@dataclass(frozen=True)
class Mass:
    """Shares of all samples. ``floor`` is what ``total_variation`` is expected to be for the data itself."""

    total_variation: float
    floor: float
    stray: float


def mass(samples: np.ndarray, mixture: Mixture) -> Mass:
    """Compare the modes' shares of ``samples``, shape (n, dimension), with their shares of the data.

    Every finite sample belongs to its nearest mode, in std of the mode, however far: half the sum of the differences is
    the total variation, from 0 to 1. Rows that are not finite are mass where the data has none. ``stray`` is the share
    of samples that are not finite or further from every mode than 5 std, in more dimensions than one the radius that as
    much of a mode is beyond (5.36 std in two). Raises ValueError where the shapes do not fit.
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
    """The radius, in std, beyond which lies as much of a Gaussian as beyond 5 std on a line."""
    return float(chi(dimension).isf(FIVE_STD))


@lru_cache(maxsize=16)
def data_shares(mixture: Mixture) -> np.ndarray:
    """The share of the data that is nearest to each mode, shape (modes,).

    The weights where the modes are apart, else counted in a fixed sample of 200,000.
    """
    # No point of a mode is nearer to another one before it has gone this many std.
    reach = cdist(mixture.means, mixture.means) / (mixture.std[:, None] + mixture.std)
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
