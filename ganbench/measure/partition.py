"""Cells of the plane whose share of the data is known: nearest mode x shells around it x sectors.

The shells of a mode hold equal mass, but for a tail cut by radius; the sectors are equal angles (in one dimension, the
two sides). Every finite point is in exactly one cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.stats import chi
from torch import Tensor

from ganbench.measure.modes import nearest
from ganbench.mixture import Mixture

TAIL_CUTS = 7
TAIL_RADIUS = 6.0  # std; two modes whose regions of this radius do not meet are apart
GOLDEN = (math.sqrt(5) - 1) / 2
SAMPLE = 1_000_000


@dataclass(frozen=True)
class Polar:
    """Points seen from the modes nearest to them: ``mode``, ``radius`` in its std, ``turn`` of 1; shape (...) each.

    On a line a turn is 0 or 1/2. Of a point that is not finite they are anything; it is for the caller to know better.
    """

    mode: Tensor
    radius: Tensor
    turn: Tensor

    @classmethod
    def of(cls, points: Tensor, mixture: Mixture) -> Polar:
        """Those of points (..., dimension), on their device."""
        mode, squared = nearest(points, mixture)
        means = torch.tensor(mixture.means, device=points.device)
        x, *y = (axis - mean[mode] for axis, mean in zip(points.double().unbind(-1), means.unbind(-1), strict=True))
        # Turned from mode to mode, so that a generator's axes and the sectors' edges do not agree in all of them.
        turn = (torch.atan2(*y, x) / (2 * math.pi) + mode * GOLDEN) % 1.0 if y else (x >= 0) / 2
        return cls(mode, squared.sqrt_(), turn)

    def __getitem__(self, rows: slice) -> Polar:
        """Some of the points."""
        return Polar(self.mode[rows], self.radius[rows], self.turn[rows])


class Partition:
    """The cells for ``n`` samples of a mixture of 1 or 2 dimensions, at two resolutions.

    ``fine`` and ``coarse`` are the data's mass in each cell, shape (cells,). Of 10,000 samples of the data about five
    fall in a fine cell, of more samples more; a coarse cell is two shells by two sectors of fine ones (on a line,
    two shells). ``beyond``: which fine cells are more than 6 std from any mode. The masses are ``exact`` where the
    modes are apart, else those of a fixed sample of a million.
    Raises ValueError above 2 dimensions, where shells and sectors see next to nothing.
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

        radius = chi(mixture.dimension)
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
        self.beyond = np.arange(len(self.fine)) // self._sectors % self._shells == self._shells - 1

    def locate(self, points: Polar) -> Tensor:
        """The fine cell of each point, (...) of indices into ``fine``; of one that is not finite, some cell too."""
        shell = torch.searchsorted(torch.tensor(self._cuts, device=points.radius.device), points.radius, right=True)
        sector = (points.turn * self._sectors).long().clamp_(0, self._sectors - 1)
        return (points.mode * self._shells + shell) * self._sectors + sector

    def count(self, points: Polar, counted: Tensor) -> Tensor:
        """Each fine cell's points, of (seeds, n) points to (seeds, cells), of those ``counted``: bool (seeds, n)."""
        seeds, cells = len(counted), len(self.fine)
        row = torch.arange(seeds, device=counted.device)[:, None] * (cells + 1)
        cell = torch.where(counted, self.locate(points), cells) + row
        return torch.bincount(cell.ravel(), minlength=seeds * (cells + 1)).view(seeds, cells + 1)[:, :cells]

    def merge(self, values: np.ndarray) -> np.ndarray:
        """What the coarse cells hold, from what the fine cells hold."""
        pairs = values.reshape(-1, 2, self._sectors // self._together, self._together)
        return np.asarray(pairs.sum(axis=(1, 3)).ravel())

    def _sampled_masses(self) -> np.ndarray:
        mixture, random = self.mixture, np.random.default_rng(2014)
        counts = np.zeros(mixture.modes * self._shells * self._sectors)
        for mode, n in enumerate(random.multinomial(SAMPLE, mixture.weights)):
            points = mixture.means[mode] + mixture.std[mode] * random.standard_normal((n, mixture.dimension))
            counts += np.bincount(
                self.locate(Polar.of(torch.from_numpy(points), mixture)).numpy(), minlength=len(counts)
            )
        return counts / SAMPLE


def _even(x: float) -> int:
    return 2 * round(x / 2)


def _apart(mixture: Mixture) -> bool:
    reach = TAIL_RADIUS * (mixture.std[:, None] + mixture.std)
    np.fill_diagonal(reach, -1.0)
    return bool((cdist(mixture.means, mixture.means) > reach).all())
