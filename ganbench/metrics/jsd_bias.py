"""The contribution of a cell to the divergence, from the data's known mass and the count of generated samples.

If a cell is expected to have ``lam`` of N samples of the data and has ``n`` of the generator, it adds
``term(lam, n) / N`` to the Jensen-Shannon divergence. But counts fluctuate and the term is convex, so its mean is too
high: by 1/8 where both agree (Miller 1955, "Note on the bias of information estimates"). ``Terms`` correct this bias.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from scipy.special import rel_entr

PLUG_IN_BELOW = 0.05
TABLE_BELOW = 60.0
COUNTS = 160  # the tables end here; for larger counts Miller's correction is good enough
CELLS = 300.0  # over so many cells errors add up: biases in proportion to it, fluctuations to its root


def term(lam: np.ndarray, n: np.ndarray) -> np.ndarray:
    """A cell's contribution to N times the divergence, in nats: ``lam`` samples of the data, ``n`` generated."""
    middle = (lam + n) / 2
    return np.asarray((rel_entr(lam, middle) + rel_entr(n, middle)) / 2)


def _miller(lam: np.ndarray, n: np.ndarray) -> np.ndarray:
    # Half the count's variance times the term's second derivative; an empty cell needs no correction.
    return np.where(n > 0, lam / (4 * np.maximum(lam + n, 1)), 0.0)


@cache
def _correction() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected counts x to be unbiased at, probabilities of counts (x, n), the map (n, x) from bias to correction."""
    x = np.geomspace(0.02, 0.7 * COUNTS, 120)
    likelihood = np.asarray(scipy.stats.poisson.pmf(np.arange(COUNTS), x[:, None]))
    # The count 0 keeps its term: a missing mode is many empty cells, and their errors would not average out.
    free = likelihood[:, 1:]
    system = CELLS * free.T @ free + np.diag(free.sum(axis=0) + 1e-6)
    remedy = np.linalg.solve(system, CELLS * free.T)
    return x, likelihood, np.concatenate([np.zeros((1, len(x))), remedy])


def _table(lam: np.ndarray) -> np.ndarray:
    """For each ``lam`` values f(n), n < COUNTS, whose mean over Poisson counts is near ``term``; (len(lam), COUNTS).

    Least squares: the mean of a sum over ``CELLS`` cells should be right at every x, and f should be near Miller's
    correction, so that it adds little noise. The system to solve is the same for every ``lam``.
    """
    x, likelihood, remedy = _correction()
    n = np.arange(COUNTS, dtype=np.float64)
    start = term(lam[:, None], n) - _miller(lam[:, None], n)
    return np.asarray(start + (term(lam[:, None], x) - start @ likelihood.T) @ remedy.T)


class Terms:
    """The corrected terms of cells with expected counts ``lam``, shape (cells,)."""

    def __init__(self, lam: np.ndarray) -> None:
        self.lam = lam
        tabled = (lam >= PLUG_IN_BELOW) & (lam <= TABLE_BELOW)
        distinct, row = np.unique(lam[tabled], return_inverse=True)
        self._tables = _table(distinct)
        self._row = np.full(len(lam), -1)
        self._row[tabled] = row
        self.empty = self(np.arange(len(lam)), np.zeros(len(lam)))

    def __call__(self, cell: np.ndarray, n: np.ndarray) -> np.ndarray:
        """The corrected terms of ``cell`` at the counts ``n``, both of shape (k,)."""
        row = self._row[cell]
        tabled = (row >= 0) & (n < COUNTS)
        value = np.empty(len(n))
        value[tabled] = self._tables[row[tabled], n[tabled].astype(np.intp)]
        rest = np.flatnonzero(~tabled)
        lam, n = self.lam[cell[rest]], n[rest]
        value[rest] = term(lam, n) - np.where(lam >= PLUG_IN_BELOW, _miller(lam, n), 0.0)
        return value
