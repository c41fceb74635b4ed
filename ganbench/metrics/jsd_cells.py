"""Cells of the line or plane whose share of the data is known: nearest mode x shells around it x sectors.

The shells of a mode have equal mass, except in the tail, which is cut by radius; the sectors are equal angles (in one
dimension, left and right). Every finite point is in exactly one cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from ganbench.data.mixture import Mixture
from ganbench.metrics.modes import nearest

TAIL_CUTS = 7
TAIL_RADIUS = 6.0  # std; two modes whose regions of this radius do not meet are apart
GOLDEN = (math.sqrt(5) - 1) / 2
SAMPLE = 1_000_000


@dataclass(frozen=True)
class Polar:
    """Points in polar coordinates about the nearest mode: ``mode``, ``radius`` in std, ``turn`` in [0, 1]; (n,) each.

    On a line a turn is 0 or 1/2.
    """

    mode: np.ndarray
    radius: np.ndarray
    turn: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, mixture: Mixture) -> Polar:
        """The coordinates of finite points, (n, dimension) in float64."""
        mode, squared = nearest(points, mixture)
        x, *y = [axis - mean[mode] for axis, mean in zip(points.T, mixture.means.T, strict=True)]
        # Rotated from mode to mode, so that the sectors' edges do not lie on a generator's axes at every mode.
        turn = np.arctan2(y[0], x) / (2 * math.pi) + mode * GOLDEN if y else (x >= 0) / 2
        return cls(mode, np.sqrt(squared), turn - np.floor(turn))


class Partition:
    """The cells for ``n`` samples of a mixture of 1 or 2 dimensions, at two resolutions.

    ``fine`` and ``coarse`` are the data's mass in each cell, shape (cells,). Of 10,000 samples of the data about five
    are in a fine cell, of more samples more; a coarse cell is two shells by two sectors of fine ones (on a line,
    two shells). ``far``: which fine cells are more than 6 std from any mode. The masses are ``exact`` where the modes
    do not overlap, and otherwise those of a fixed sample of a million. Raises ValueError above 2 dimensions, where
    shells and sectors would miss most of a divergence.
    """

    def __init__(self, mixture: Mixture, n: int) -> None:
        if mixture.dimension > 2:
            raise ValueError(
                f"cells are for data of 1 or 2 dimensions, and these have {mixture.dimension}: "
                "shells would miss most of a divergence"
            )
        self.mixture = mixture
        cells = n / mixture.modes / (5 * max(1.0, math.sqrt(n / 10_000)))  # of a mode
        if mixture.dimension == 2:
            self._sectors, self._together = min(max(_even(2 * math.sqrt(cells / 2)), 4), 48), 2
            shells = max(_even(self._sectors / 2), 2)
        else:
            self._sectors, self._together = 2, 1
            shells = min(max(_even(cells / 2), 2), 96)

        radius = scipy.stats.chi(mixture.dimension)
        equal = radius.isf(np.arange(shells - 1, 0, -1) / shells)
        self._cuts = np.concatenate([equal, np.linspace(equal[-1], TAIL_RADIUS, TAIL_CUTS)[1:]])
        self._shells = len(self._cuts) + 1  # even, so that shells pair up

        self.exact = _apart(mixture)
        if self.exact:
            shares = -np.diff(radius.sf(np.concatenate([[0.0], self._cuts, [np.inf]])))
            self.fine = np.repeat(np.outer(mixture.weights, shares).ravel(), self._sectors) / self._sectors
        else:
            self.fine = self._sampled_masses()
        self.coarse = self.merge(self.fine)
        self.far = np.arange(len(self.fine)) // self._sectors % self._shells == self._shells - 1

    def locate(self, points: Polar) -> np.ndarray:
        """The fine cell of each point, (n,) of indices into ``fine``."""
        shell = np.searchsorted(self._cuts, points.radius, side="right")
        sector = np.minimum((points.turn * self._sectors).astype(np.intp), self._sectors - 1)
        return np.asarray((points.mode * self._shells + shell) * self._sectors + sector)

    def count(self, points: Polar) -> np.ndarray:
        """How many points are in each fine cell, (cells,)."""
        return np.bincount(self.locate(points), minlength=len(self.fine)).astype(np.float64)

    def merge(self, values: np.ndarray) -> np.ndarray:
        """The sums over the coarse cells of values in the fine cells."""
        pairs = values.reshape(-1, 2, self._sectors // self._together, self._together)
        return np.asarray(pairs.sum(axis=(1, 3)).ravel())

    def _sampled_masses(self) -> np.ndarray:
        mixture, random = self.mixture, np.random.default_rng(2014)
        counts = np.zeros(mixture.modes * self._shells * self._sectors)
        for mode, n in enumerate(random.multinomial(SAMPLE, mixture.weights)):
            points = mixture.means[mode] + mixture.std[mode] * random.standard_normal((n, mixture.dimension))
            counts += np.bincount(self.locate(Polar.of(points, mixture)), minlength=len(counts))
        return counts / SAMPLE


def _even(x: float) -> int:
    return 2 * round(x / 2)


def _apart(mixture: Mixture) -> bool:
    reach = TAIL_RADIUS * (mixture.std[:, None] + mixture.std)
    np.fill_diagonal(reach, -1.0)
    return bool((scipy.spatial.distance.cdist(mixture.means, mixture.means) > reach).all())
