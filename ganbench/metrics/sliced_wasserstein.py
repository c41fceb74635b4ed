"""Sliced Wasserstein distance of order 2 (Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3)."""

from __future__ import annotations

import math

import numpy as np

from ganbench.metrics.points import SEED, finite, sample_and_real, shuffled

NUMBERS = 2**24  # projections of as many points on as many directions at a time


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
    together = max(1, NUMBERS // len(points))
    some = [directions.T[begin : begin + together] for begin in range(0, directions.shape[1], together)]
    if len(some) == 1:
        return math.sqrt(_squared_distance(some[0], points, data))
    return math.sqrt(sum(_squared_distance(each, points, data) * len(each) for each in some) / directions.shape[1])


def _squared_distance(directions: np.ndarray, points: np.ndarray, data: np.ndarray) -> float:
    """The mean squared difference of the sorted projections on some directions, (k, d)."""
    # One row for each direction: sorting then reads memory in order.
    apart = directions @ points.T
    apart.sort(axis=1)
    theirs = directions @ data.T
    theirs.sort(axis=1)
    apart -= theirs
    apart **= 2
    return float(apart.mean())
