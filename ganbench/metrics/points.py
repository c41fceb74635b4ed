"""Samples as points: one row each in float64, which of them are finite, and the distances between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from torch import Tensor

SEED = 2014  # of every random choice of points, so that a metric gives the same value for the same samples
FLAT = 16  # dimensions; in more dimensions a tree of points is not faster
FAR = 1e100
DISTANCES = 10_000_000  # computed at a time
WATCHED = 1_000_000  # numbers at a time, where more would take much memory
HELD = 8_000_000  # numbers of points that are copied at a time


def from_tensor(samples: Tensor) -> np.ndarray:
    """A tensor of any type, device and shape (n, *shape) as points: float64, (n, d)."""
    return as_points(samples.detach().double().cpu().numpy())


def rows_of(samples: Tensor) -> np.ndarray:
    """A tensor of any device and shape (n, *shape) in its own precision: on a CPU without a copy.

    For metrics that look at some of the rows alone, and make points of these.
    """
    plain = samples.detach().cpu()
    return np.asarray((plain if plain.element_size() >= 4 and plain.is_floating_point() else plain.double()).numpy())


def as_points(samples: np.ndarray) -> np.ndarray:
    """Samples (n, *shape) as points: float64, (n, d). Raises ValueError where there are none."""
    return np.asarray(as_rows(samples), dtype=np.float64)


def as_rows(samples: np.ndarray) -> np.ndarray:
    """Samples (n, *shape) as rows of their own type: (n, d). Raises ValueError where there are none."""
    samples = np.asarray(samples)
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"samples must have the shape (n, *shape), n above 0, not {samples.shape}")
    return samples.reshape(len(samples), -1)


def sample_and_real(samples: np.ndarray, real: np.ndarray, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Samples and real ones as points.

    Args:
        samples: generated samples, (n, *shape).
        real: real samples, (m, *shape).
        most: how many of each are used at most, a fixed random choice: only these are copied; None: all.

    Returns:
        Both, float64: (n or most, d) and (m or most, d).

    Raises:
        ValueError: their shapes differ, or a coordinate of ``real`` is not finite.
    """
    points, data = rows_of_both(samples, real)
    if most is not None:
        points, data = shuffled(points, most), shuffled(data, most)
    return as_points(points), as_points(data)


def rows_of_both(samples: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples and real ones as rows of their own types, (n, d) and (m, d); raises as ``sample_and_real``."""
    points, data = as_rows(samples), as_rows(real)
    if points.shape[1] != data.shape[1]:
        raise ValueError(f"a sample has {points.shape[1]} coordinates and a real one {data.shape[1]}")
    if not is_finite(data).all():
        raise ValueError("the real samples must all be finite")
    return points, data


def finite(points: np.ndarray) -> np.ndarray:
    """The rows whose coordinates are all finite, and below 1e100 so that squared distances are finite, too."""
    good = is_finite(points)
    return points if good.all() else np.asarray(points[good])


def is_finite(points: np.ndarray) -> np.ndarray:
    """Which rows have only finite coordinates, below 1e100 so that squared distances are finite: (n, d) -> (n,)."""
    if points.shape[1] > FLAT:
        rows = max(1, WATCHED // points.shape[1])
        parts = [points[begin : begin + rows] for begin in range(0, len(points), rows)]
        return np.concatenate([(np.abs(part, dtype=np.float64) < FAR).all(axis=1) for part in parts or [points]])
    good = np.ones(len(points), dtype=bool)
    for axis in points.T:  # many times faster than a reduction over so few columns
        good &= np.abs(axis, dtype=np.float64) < FAR
    return good


def shuffled(points: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` rows, in a fixed random order."""
    return points[np.random.default_rng(SEED).permutation(len(points))[:most]]


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distances, (n, d) and (m, d) -> (n, m); above 16 dimensions the error is 1e-7 of the points' norms."""
    if points.shape[1] <= FLAT or not len(others):
        return np.asarray(scipy.spatial.distance.cdist(points, others))
    centre = others.mean(axis=0)
    points, others = points - centre, others - centre
    own, theirs = (points**2).sum(axis=1), (others**2).sum(axis=1)
    squared = 2 * points @ others.T
    rows = max(1, WATCHED // len(others))
    for begin in range(0, len(points), rows):  # in place: a second array of all distances would be as large
        part = squared[begin : begin + rows]
        np.subtract(own[begin : begin + rows, None] + theirs, part, out=part)
    np.maximum(squared, 0.0, out=squared)
    return np.asarray(np.sqrt(squared, out=squared))


def nearest(points: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Each point's distance to the nearest of ``among``, shapes (n, d) and (m, d) -> (n,).

    ``among`` may be of another type: it is converted some rows at a time.
    """
    if points.shape[1] <= FLAT:
        return np.asarray(scipy.spatial.KDTree(among).query(points)[0])
    found = np.full(len(points), np.inf)
    for part in _parts(among):  # distances copies what it is given, and a set of images may be large
        some = part.astype(np.float64, copy=False)
        for rows in _blocks(len(points), len(some)):
            np.minimum(found[rows], distances(points[rows], some).min(axis=1), out=found[rows])
    return found


def nearest_other(points: np.ndarray) -> np.ndarray:
    """Each point's distance to the nearest of the other points, (n, d) -> (n,); infinite for a single point."""
    n = len(points)
    if n < 2:
        return np.full(n, np.inf)
    if points.shape[1] <= FLAT:
        return np.asarray(scipy.spatial.KDTree(points).query(points, k=2)[0])[:, 1]
    result = np.empty(n)
    for rows in _blocks(n, n):
        apart = distances(points[rows], points)
        apart[np.arange(len(apart)), np.arange(n)[rows]] = np.inf
        result[rows] = apart.min(axis=1)
        del apart  # before the next are computed
    return result


def _parts(points: np.ndarray) -> Iterator[np.ndarray]:
    """The rows, some at a time."""
    rows = max(1, HELD // points.shape[1])
    return (points[begin : begin + rows] for begin in range(0, len(points), rows))


def _blocks(n: int, m: int) -> Iterator[slice]:
    size = max(DISTANCES // m, 1)
    return (slice(start, start + size) for start in range(0, n, size))
