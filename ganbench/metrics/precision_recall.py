"""Precision, recall, density and coverage: generated and real points against each other's neighbourhoods.

Precision and recall after Kynkäänniemi et al. 2019 (arXiv:1904.06991), density and coverage after Naeem et al. 2020
(arXiv:2002.09797). A neighbourhood is a ball about a point that reaches to its k-th nearest other point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import distances, finite, sample_and_real, shuffled


@dataclass(frozen=True)
class Manifold:
    """Shares, but for ``density``, which is not bounded.

    ``precision``: of the samples, those inside some real neighbourhood. ``recall``: of the real points, those inside
    some neighbourhood of the samples. ``density``: how many real neighbourhoods a sample is inside, over k; 1 for the
    data itself. ``coverage``: of the real neighbourhoods, those that hold a sample.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(samples: np.ndarray, real: np.ndarray, k: int = 5, most: int = 2000) -> Manifold:
    """Compare ``samples`` with ``real``, shapes (n, *shape) and (m, *shape), flattened; at most ``most`` of each.

    These are a fixed random choice; the values depend on how many there are. Samples that are not finite are inside
    nothing. Raises ValueError where the shapes differ, or not more than k real points are there.
    """
    points, data = sample_and_real(samples, real)
    points, data = shuffled(points, most), shuffled(data, most)
    if not 1 <= k < len(data):
        raise NotApplicableError(f"k must be at least 1 and below the number of real points, {len(data)}, not {k}")
    n, points = len(points), finite(points)
    if not len(points):
        return Manifold(0.0, 0.0, 0.0, 0.0)
    apart = distances(data, points)
    inside_real = apart <= _radii(data, k)[:, None]
    inside_samples = apart <= _radii(points, k) if len(points) > k else np.zeros_like(inside_real)
    return Manifold(
        precision=float(inside_real.any(axis=0).sum() / n),
        recall=float(inside_samples.any(axis=1).mean()),
        density=float(inside_real.sum() / (k * n)),
        coverage=float(inside_real.any(axis=1).mean()),
    )


def _radii(points: np.ndarray, k: int) -> np.ndarray:
    # The nearest of all, at place 0, is the point itself.
    return np.asarray(np.partition(distances(points, points), k, axis=1)[:, k])
