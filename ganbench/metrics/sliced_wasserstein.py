"""Sliced Wasserstein distance of order 2 (Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3)."""

from __future__ import annotations

import math

import numpy as np

from ganbench.metrics.points import SEED, finite, sample_and_real, shuffled


def sliced_wasserstein(samples: np.ndarray, real: np.ndarray, projections: int = 128) -> float:
    """The sliced Wasserstein distance of order 2 between samples and real points.

    The root of the mean, over fixed random directions, of the squared W2 distance of the projections, which is the mean
    squared difference of their sorted values. Of unequal numbers, a fixed random choice of the larger set is used.

    Args:
        samples: generated samples, (n, *shape), flattened.
        real: real points, (m, *shape), flattened.
        projections: how many directions are used; on a line always one.

    Returns:
        The distance in units of the data; infinite where a sample is not finite.

    Raises:
        ValueError: the shapes differ, or ``real`` is not finite.
    """
    points, data = sample_and_real(samples, real)
    if len(finite(points)) < len(points):
        return math.inf
    if len(points) != len(data):
        n = min(len(points), len(data))
        points, data = shuffled(points, n), shuffled(data, n)
    dimension = points.shape[1]
    directions = np.random.default_rng(SEED).standard_normal((dimension, projections if dimension > 1 else 1))
    directions /= np.linalg.norm(directions, axis=0)
    # One row for each direction: sorting then reads memory in order.
    apart = np.sort(directions.T @ points.T, axis=1) - np.sort(directions.T @ data.T, axis=1)
    return math.sqrt(float((apart**2).mean()))
