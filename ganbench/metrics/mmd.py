"""Squared maximum mean discrepancy, unbiased (Gretton et al. 2012, JMLR 13:723-773, lemma 6)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import distances, finite, sample_and_real, shuffled

#: Of the distances between real points; the middle one is the usual "median heuristic".
QUANTILES = (0.01, 0.1, 0.5)
FOR_WIDTHS = 500  # real points, and so 125,000 distances


@dataclass(frozen=True)
class Discrepancy:
    """An unbiased estimate, 0 on average for the data itself and below as often as above, and its standard error."""

    value: float
    se: float


def mmd(
    samples: np.ndarray, real: np.ndarray, quantiles: tuple[float, ...] = QUANTILES, most: int = 2000
) -> Discrepancy:
    """The squared MMD of ``samples`` and ``real``, (n, *shape) and (m, *shape), flattened, at most ``most`` of each.

    The kernel is the mean of Gaussians exp(-r^2 / 2 s^2), each s a quantile of the distances between the real points,
    and of those alone, so that all generators are measured alike. The median alone sees nothing within modes that lie
    far apart; the smaller ones do. A quantile that is 0, of real points that coincide, is left out. The points are a
    fixed random choice. A sample that is not finite is like no other: the kernel is 0. The standard error is the
    jackknife's, up to sqrt 2 too wide where both agree. Raises ValueError where the shapes differ, fewer than 2 are
    there, or the real points coincide.
    """
    points, data = sample_and_real(samples, real)
    points, data = shuffled(points, most), shuffled(data, most)
    n, m, points = len(points), len(data), finite(points)
    if n < 2 or m < 2:
        raise NotApplicableError(f"a discrepancy needs 2 points of each, not {n} and {m}")
    between = distances(data, data)
    some = min(m, FOR_WIDTHS)
    widths = np.quantile(between[np.triu_indices(some, 1)], quantiles)
    widths = widths[widths > 0]
    if not len(widths):
        raise NotApplicableError("too many of the real points coincide for a bandwidth")
    own, theirs, cross = (
        _kernel(apart, widths) for apart in (distances(points, points), between, distances(points, data))
    )
    # Each point's part: its mean kernel with the others of its own kind, less that with the other kind.
    mine = np.zeros(n)
    mine[: len(points)] = (_sums(own, 1) - 1) / (n - 1) - _sums(cross, 1) / m
    yours = (_sums(theirs, 1) - 1) / (m - 1) - _sums(cross, 0) / n
    return Discrepancy(float(mine.mean() + yours.mean()), 2 * math.sqrt(mine.var(ddof=1) / n + yours.var(ddof=1) / m))


def _kernel(apart: np.ndarray, widths: np.ndarray) -> np.ndarray:
    # In float32, which is ten times as fast and a thousand times as precise as the estimate.
    narrowest = widths.min()
    exponent = np.minimum(apart / narrowest, 1e15).astype(np.float32) ** 2 / -2
    return np.asarray(sum(np.exp(exponent * np.float32((narrowest / width) ** 2)) for width in widths) / len(widths))


def _sums(kernel: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(kernel.sum(axis=axis, dtype=np.float64))
