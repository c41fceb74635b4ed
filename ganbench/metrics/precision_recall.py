"""Precision, recall, density and coverage: generated points in neighbourhoods of real ones, and the reverse.

Precision and recall after Kynkäänniemi et al. 2019 (arXiv:1904.06991), density and coverage after Naeem et al. 2020
(arXiv:2002.09797). A neighbourhood is a ball around a point; its radius is the distance to the k-th
nearest other point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import distances, finite, sample_and_real


@dataclass(frozen=True)
class Manifold:
    """All are shares, except ``density``, which has no upper bound.

    ``precision``: share of the samples that are inside a real neighbourhood. ``recall``: share of the real points that
    are inside a neighbourhood of a sample. ``density``: the mean number of real neighbourhoods that a sample is inside,
    divided by k; 1 for the data itself. ``coverage``: share of the real neighbourhoods that contain a sample.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(samples: np.ndarray, real: np.ndarray, k: int = 5, most: int = 2000) -> Manifold:
    """Compare samples with real points by their neighbourhoods.

    The values depend on how many points are used. Samples that are not finite are inside no neighbourhood.

    Args:
        samples: generated samples, (n, *shape), flattened.
        real: real points, (m, *shape), flattened.
        k: the radius of a neighbourhood is the distance to the k-th nearest other point.
        most: how many of each are used at most: a fixed random choice.

    Returns:
        The four values.

    Raises:
        NotApplicableError: there are no more than ``k`` real points, or ``k`` is below 1.
        ValueError: the shapes differ, or ``real`` is not finite.
    """
    points, data = sample_and_real(samples, real, most)
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
    # The nearest, at index 0, is the point itself.
    return np.asarray(np.partition(distances(points, points), k, axis=1)[:, k])
