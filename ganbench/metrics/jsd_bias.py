"""A cell's part in the divergence, from the data's known mass there and a count of the generator's samples.

Where the data would put ``lam`` of N samples and the generator has put ``n``, the cell adds ``term(lam, n) / N`` to the
Jensen-Shannon divergence. But a count fluctuates and the term is convex, so it reads too high: by 1/8 where both agree
(Miller 1955, "Note on the bias of information estimates"). ``Terms`` are corrected so that their mean is right.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import rel_entr

PLUG_IN_BELOW = 0.05
TABLE_BELOW = 60.0
COUNTS = 160  # the tables end here; above, Miller's correction is good enough
CELLS = 300.0  # how many errors of cells add up: their biases as the number, their fluctuations as its root


def term(lam: np.ndarray, n: np.ndarray) -> np.ndarray:
    """What a cell adds to N times the divergence, in nats: ``lam`` of the data, ``n`` of the generator."""
    middle = (lam + n) / 2
    return np.asarray((rel_entr(lam, middle) + rel_entr(n, middle)) / 2)


def _miller(lam: np.ndarray, n: np.ndarray) -> np.ndarray:
    # Half the count's variance times the term's second derivative; an empty cell needs none.
    return np.where(n > 0, lam / (4 * np.maximum(lam + n, 1)), 0.0)


@cache
def _correction() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The means x to be right at, the probability (x, n) of a count there, the map (n, x) from bias to remedy."""
    x = np.geomspace(0.02, 0.7 * COUNTS, 120)
    from scipy.stats import poisson  # half a second, which listing plugins must not wait for

    likelihood = np.asarray(poisson.pmf(np.arange(COUNTS), x[:, None]))
    # The count 0 keeps its term: a mode that is missing is many empty cells, and no fluctuation averages over those.
    free = likelihood[:, 1:]
    system = CELLS * free.T @ free + np.diag(free.sum(axis=0) + 1e-6)
    remedy = np.linalg.solve(system, CELLS * free.T)
    return x, likelihood, np.concatenate([np.zeros((1, len(x))), remedy])


def _table(lam: np.ndarray) -> np.ndarray:
    """For each ``lam`` the values f(n), n < COUNTS, with a mean over Poisson counts near ``term``; (len(lam), COUNTS).

    Least squares: a sum over ``CELLS`` cells should be right at every x, and f no further than needed from Miller's
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
