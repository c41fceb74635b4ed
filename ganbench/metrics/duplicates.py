"""Rows of a sample that repeat others exactly: draws from a density never do, except by rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

FALSELY = 0.01  # false discovery rate: of the points called repeated, and of samples without repeats


def repeated(points: np.ndarray, log_density: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Which rows repeat others more often than draws rounded to float32 do by chance: (n, d) -> (n,) of bool.

    ``log_density``: the log-density of the rows' distribution, (k, d) -> (k,). On a line, draws in float32 do coincide
    by chance: about ten pairs in 10,000 samples of N(4, 0.5). All repeated points are tested together, so that in 99 of
    100 samples without excess repeats no row is marked (Benjamini & Hochberg 1995). A row that is not finite repeats
    no other.
    """
    n = len(points)
    answer = np.zeros(n, dtype=bool)
    # Equal rows have equal first bits, and comparing these first is fast.
    first = _first_bits(points)
    ordered = np.sort(first)
    ties = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(ties):
        return answer
    tied = np.flatnonzero(np.isin(first, ties) & np.isfinite(points).all(axis=1))
    order = tied[np.lexsort(points[tied].T)]
    row = points[order].astype(np.float64)
    starts = np.ones(len(row), dtype=bool)
    starts[1:] = (row[1:] != row[:-1]).any(axis=1)
    copies = np.diff(np.flatnonzero(starts), append=len(row))
    atom = copies > 1
    places = row[starts][atom]
    if len(places):
        # A coordinate near zero is the sum of larger numbers and has their rounding: at least that of the median.
        most = np.finfo(np.float32).max / 2
        usual = np.nanmedian(np.minimum(np.abs(points), most), axis=0)
        digits = np.clip(np.abs(places), usual, most).astype(np.float32)
        rounding = np.log(np.spacing(digits).astype(np.float64)).sum(axis=1)
        by_chance = n * np.exp(np.minimum(log_density(places) + rounding, 0.0))
        p_values = scipy.stats.poisson.sf(copies[atom] - 2, by_chance)
        allowed = FALSELY * np.arange(1, len(p_values) + 1) / n
        passed = np.flatnonzero(np.sort(p_values) <= allowed)
        atom[atom] = p_values <= (allowed[passed[-1]] if len(passed) else -1.0)
        answer[order] = np.repeat(atom, copies)
    return answer


def _first_bits(points: np.ndarray) -> np.ndarray:
    """Bits of each row as a whole number, (n, d) -> (n,): of two float32 coordinates, or else of the first one."""
    plain = np.ascontiguousarray(points + 0.0)  # -0 is 0
    whole = plain.dtype == np.float32 and plain.shape[1] % 2 == 0
    return plain.view(np.uint64 if whole else f"u{plain.itemsize}")[:, 0]
