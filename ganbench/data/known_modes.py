"""The modes of data without a density: points around given centres, or rows with the same label."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Protocol

import numpy as np
import scipy

#: How far from its centre a point of high quality may be, in its mode's std, on a line or plane.
HIGH_QUALITY = 3.0
#: Of the rows of a mode so many are as near to another one as a point of high quality may be.
NEAR = 0.99
#: So many rows stand for all, a fixed choice, with so many of each label: more make a measurement slow, and no other.
ROWS, FEWEST = 5000, 10
#: The nearest other row of at least so many rows of a label has that label.
TOLD_APART = 0.5
#: Distances that are computed at once, where a tree is not faster.
_AT_ONCE, _FLAT = 5_000_000, 12


@cache
def good_radius(dimension: int) -> float:
    """How far from its mode, in std, a sample of high quality may be: 3 in one and two dimensions.

    In more dimensions it is the radius that is exceeded as rarely as 3 std in two. A fixed radius would reject the data
    itself: in d dimensions nearly all samples are about sqrt(d) from their mode. VEEGAN uses 10 std in 1,200
    dimensions, where no sample of PacGAN's data (700 dimensions with noise) is nearer than 24.
    """
    chi = scipy.stats.chi
    return HIGH_QUALITY if dimension <= 2 else float(chi(dimension).isf(chi(2).sf(HIGH_QUALITY)))


class KnownModes(Protocol):
    """Modes that points can be assigned to.

    ``shares``, (modes,): which share of the data's own rows is assigned to each mode, and of high quality there.
    """

    shares: np.ndarray

    def assign(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mode of each finite point, (n, d), and whether it is of high quality there; (n,) each."""
        ...


class Centres:
    """Modes around ``centres``, (modes, d): a point belongs to the nearest one, by the std of the ``rows`` around each.

    Raises ValueError where centres are not of the rows' dimension, or one has no rows around it.
    """

    def __init__(self, centres: np.ndarray, rows: np.ndarray) -> None:
        self._centres = np.asarray(centres, dtype=np.float64)
        if self._centres.ndim != 2 or self._centres.shape[1] != rows.shape[1]:
            raise ValueError(f"each must have the data's {rows.shape[1]} coordinates")
        nearest = scipy.spatial.KDTree(self._centres).query(rows)[1]
        counts = np.bincount(nearest, minlength=len(self._centres))
        if counts.min() < 2:
            lonely = int(counts.argmin())
            raise ValueError(f"{self._centres[lonely].tolist()} has {counts[lonely]} of {len(rows)} rows around it")
        squared = ((rows - self._centres[nearest]) ** 2).mean(axis=1)
        self._std = np.sqrt(np.bincount(nearest, squared) / counts)
        mode, good = self.assign(rows)
        self.shares = np.bincount(mode[good], minlength=len(counts)) / len(rows)

    def assign(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest centre, and whether it is within 3 std; in more than 2 dimensions within ``good_radius``."""
        distance, mode = map(np.asarray, scipy.spatial.KDTree(self._centres).query(points))
        return mode, distance <= good_radius(points.shape[1]) * self._std[mode]


class Labelled:
    """Modes of ``rows``, (n, d), with the same whole number in ``labels``, (n,), from 0; ``names`` of the labels.

    A point has the label of the nearest row. It is of high quality where that row is as near as 99 in 100 rows of the
    label are to another row. Raises ValueError where rows of a label are too few, or not nearest to each other.
    """

    def __init__(self, rows: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> None:
        counts = np.bincount(labels)
        if counts.min() < FEWEST:
            few = int(counts.argmin())
            raise ValueError(f"{names[few]!r} has {counts[few]} rows, and a mode needs {FEWEST}: leave these rows out")
        order = np.random.RandomState(0).permutation(len(rows))
        own = [order[labels[order] == one] for one in range(len(counts))]
        chosen = np.concatenate([one[: max(FEWEST, ROWS * len(one) // len(rows))] for one in own])
        self._rows, self._labels = np.asarray(rows, dtype=np.float64)[chosen], labels[chosen]
        distance, at = self._near(self._rows, 2)
        far = [np.quantile(distance[self._labels == one, 1], NEAR) for one in range(int(labels.max()) + 1)]
        self._far = np.array(far)
        # A row by itself would be the nearest to itself: by the second nearest, as a point that is not in the data is.
        mode, good = self._labels[at[:, 1]], distance[:, 1] <= self._far[self._labels[at[:, 1]]]
        self.shares = np.bincount(mode[good], minlength=len(far)) / len(mode)
        right = np.bincount(self._labels, mode == self._labels) / np.bincount(self._labels)
        if right.min() < TOLD_APART:
            mixed = int(right.argmin())
            raise ValueError(
                f"{100 * right[mixed]:.0f} % of the rows of {names[mixed]!r} have a row of their own label as the "
                "nearest: they are among the others, and no modes"
            )

    @cached_property
    def _tree(self) -> scipy.spatial.KDTree:
        return scipy.spatial.KDTree(self._rows)

    def _near(self, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The distances to the k nearest rows, and which these are, (n, k) each."""
        if points.shape[1] <= _FLAT:
            distance, at = map(np.asarray, self._tree.query(points, range(1, k + 1)))
            return distance, at
        found = []
        size = max(1, _AT_ONCE // len(self._rows))
        for some in (points[begin : begin + size] for begin in range(0, len(points), size)):
            squared = (some**2).sum(1)[:, None] + (self._rows**2).sum(1) - 2 * some @ self._rows.T
            at = np.argpartition(squared, range(k), axis=1)[:, :k]
            found.append((np.sqrt(np.maximum(np.take_along_axis(squared, at, 1), 0)), at))
        return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])

    def assign(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The label of the nearest row, and whether that is near."""
        distance, at = self._near(points, 1)
        mode = self._labels[at[:, 0]]
        return mode, distance[:, 0] <= self._far[mode]
