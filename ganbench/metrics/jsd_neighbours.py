"""The Jensen-Shannon divergence of two samples in 1 or 2 dimensions, from the labels of nearest neighbours.

In the pool of both samples, the divergence is log 2 minus the entropy of a point's label, data or generator, given its
position. The labels around a point estimate that entropy, corrected for their small number (Zhang 2012, "Entropy
estimation in Turing's perspective", Neural Computation 24). The bias from the size of a neighbourhood is extrapolated
from two sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import scipy
from scipy.special import gammaln, psi

from ganbench.metrics.duplicates import repeated
from ganbench.metrics.points import is_finite

LOG2 = math.log(2)
NARROW, WIDE = 8, 15  # labels in a neighbourhood, the point's own included
EXTRAPOLATED = 1.25  # std over repetitions to that from influences: 1.0 to 1.4, measured on known divergences


@dataclass(frozen=True)
class Neighbours:
    """A divergence in nats, its 95 % interval and its standard error (infinite with too few points)."""

    value: float
    low: float
    high: float
    standard_error: float


def neighbour_jsd(samples: np.ndarray, real: np.ndarray) -> Neighbours:
    """Estimate the divergence between the distributions of ``samples`` (n, d) and ``real`` (m, d), d at most 2.

    Both have the same weight: a fixed random choice of the larger sample, as many rows as the smaller has, is used.
    No other row is left out: rows that are not finite count as mass where the other distribution has none, and so do
    rows that repeat others exactly, except those that both samples have. Raises ValueError where the shapes do not
    match.
    """
    samples, real = np.asarray(samples, dtype=np.float64), np.asarray(real, dtype=np.float64)
    if samples.ndim != 2 or real.ndim != 2 or samples.shape[1:] != real.shape[1:] or samples.shape[1] not in (1, 2):
        raise ValueError(
            f"samples and real must have the shapes (n, d), (m, d), d 1 or 2, not {samples.shape}, {real.shape}"
        )
    total = min(len(samples), len(real))
    if not total:
        raise ValueError("samples and real must have a row each")
    samples, real = (x if len(x) == total else np.random.default_rng(0).permutation(x)[:total] for x in (samples, real))
    samples, real = samples[is_finite(samples)], real[is_finite(real)]
    again = [repeated(x, _log_density(x)) for x in (samples, real)]
    known = 0.0
    if again[0].any() or again[1].any():
        place = np.unique(np.concatenate([samples, real]), axis=0, return_inverse=True)[1].ravel()
        atom = np.isin(place, place[np.concatenate(again)])
        ours, theirs = atom[: len(samples)], atom[len(samples) :]
        known = _entropy_of_atoms(place[: len(samples)][ours], place[len(samples) :][theirs])
        samples, real = samples[~ours], real[~theirs]
    return Pool(samples, real, total, known=known).look()


class Pool:
    """Usable rows of two samples, (a, d) and (b, d); each sample had ``total`` >= a, b rows.

    The missing rows count as mass where the other distribution has none, except for ``known``: the sum of the entropies
    of their labels, in nats.
    """

    def __init__(self, samples: np.ndarray, real: np.ndarray, total: int, *, known: float = 0.0) -> None:
        self._points = np.concatenate([samples, real])
        self._generated = np.arange(len(self._points)) < len(samples)
        self._total, self._known = total, known

    @cached_property
    def _tree(self) -> scipy.spatial.cKDTree:
        # Neither balanced nor compact: built in half the time, and as fast to search.
        return scipy.spatial.cKDTree(self._points, leafsize=32, balanced_tree=False, compact_nodes=False)

    def look(self, queries: int | None = None) -> Neighbours:
        """The estimate from the neighbourhoods of about ``queries`` points, spread evenly over the pool, or of all."""
        points, generated, total = self._points, self._generated, self._total
        size, dimension = points.shape
        share = size / (2 * total)
        if size < WIDE:
            return Neighbours(clip(LOG2 * (1 - share) - self._known / (2 * total)), 0.0, LOG2, math.inf)
        # In the tree's order near points follow each other, so each k-th of them gives an even spread.
        chosen = self._tree.indices[:: max(size // (queries or size), 1)]
        near = generated[self._tree.query(points[chosen], WIDE)[1]]
        count = near.sum(axis=1)
        narrow, wide = _NARROW[near[:, :NARROW].sum(axis=1)], _wide_as_narrow()[count]
        # The bias grows with the square of a neighbourhood's width, and the wide one has twice the neighbours.
        hidden = (narrow - wide) / (2 ** (2 / dimension) - 1)
        # Among few labels a rare one may be missing; the wide neighbourhood shows how much entropy that loses.
        rare = _WIDE[count].mean() / max(wide.mean(), 1e-12)
        entropy = rare * (narrow + hidden)
        value = LOG2 - share * entropy.mean() - self._known / (2 * total)

        # A point's influence is the logarithm of its own label's probability; missing rows' labels are certain.
        own = np.log(np.where(generated[chosen], count, WIDE - count) / WIDE)
        variance = EXTRAPOLATED**2 * (share * (own**2).mean() - (share * own.mean()) ** 2) / (2 * total)
        variance += share**2 * entropy.var() * (1 / len(chosen) - 1 / size)
        margin = 1.96 * math.sqrt(variance) + share * (abs(hidden.mean()) / 3 + (rare - 1) * narrow.mean())
        return Neighbours(clip(value), clip(value - margin), clip(value + margin), math.sqrt(variance))


def _entropies(labels: int) -> np.ndarray:
    """The corrected entropy, in nats, of ``labels`` labels of which 0, 1, ... are of one kind; (labels + 1,)."""
    n = np.arange(1, labels + 1)
    one = np.concatenate([[0.0], n * (psi(labels) - psi(n)) / labels])
    return np.asarray(one + one[::-1])


_NARROW, _WIDE = _entropies(NARROW), _entropies(WIDE)


@cache
def _wide_as_narrow() -> np.ndarray:
    """The mean of ``_NARROW`` over all ways to take NARROW labels of the wide neighbourhood's; (WIDE + 1,)."""
    taken, ours = np.arange(NARROW + 1), np.arange(WIDE + 1)[:, None]
    return np.asarray(scipy.stats.hypergeom.pmf(taken, WIDE, ours, NARROW) @ _NARROW)


def _entropy_of_atoms(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The corrected entropy, summed over the rows of two samples; each row is given as the index of its point."""
    size = int(max(ours.max(initial=0), theirs.max(initial=0))) + 1
    counts = np.stack([np.bincount(place, minlength=size) for place in (ours, theirs)])
    labels = np.maximum(counts.sum(axis=0), 1)
    return float((counts * (psi(labels) - psi(np.maximum(counts, 1)))).sum())


def _log_density(points: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The log-density of the rows' distribution, from the distance to the k-th nearest different row."""

    def log_density(places: np.ndarray) -> np.ndarray:
        distinct = np.unique(points, axis=0)
        if len(distinct) < 2:
            return np.full(len(places), -np.inf)
        k, dimension = min(25, len(distinct)), points.shape[1]
        distance = np.asarray(scipy.spatial.cKDTree(distinct).query(places, [k])[0])[:, 0]
        ball = dimension / 2 * math.log(math.pi) - gammaln(dimension / 2 + 1)
        return np.asarray(math.log(k / len(distinct)) - ball - dimension * np.log(distance))

    return log_density


def clip(value: float) -> float:
    """The value, clipped to the range of a divergence, 0 to log 2."""
    return min(max(float(value), 0.0), LOG2)
