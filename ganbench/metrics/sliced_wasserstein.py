"""Sliced Wasserstein distance of order 2 (Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3)."""

from __future__ import annotations

import math

import numpy as np

from ganbench.metrics.points import SEED, finite, sample_and_real, shuffled


def sliced_wasserstein(samples: np.ndarray, real: np.ndarray, projections: int = 128) -> float:
    """The distance of order 2 between ``samples`` and ``real``, (n, *shape) each, flattened, in units of the data.

    The root of the mean over ``projections`` fixed random directions of the squared W2 distance on the line, which is
    the mean squared difference of sorted values; of unequal numbers, the fixed random choice of as many. Infinite where
    a sample is not finite, since its mass would have to come from there. Raises ValueError where the shapes differ.
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
    # A row for each direction: sorting runs along memory.
    apart = np.sort(directions.T @ points.T, axis=1) - np.sort(directions.T @ data.T, axis=1)
    return math.sqrt(float((apart**2).mean()))
