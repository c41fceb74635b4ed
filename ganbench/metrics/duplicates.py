"""Rows of a sample that repeat others exactly: a law with a density never does, but for rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import poisson

FALSELY = 0.01  # of the places called repeated, and of samples without any


def repeated(points: np.ndarray, log_density: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Which rows repeat others more often than chance would, were they rounded to float32: (n, d) -> (n,) of bool.

    ``log_density`` is that of one row, (k, d) -> (k,). Draws in float32 do coincide by chance on a line: about ten
    pairs in 10,000 samples of N(4, 0.5). How many repeats are too many is decided for all places together, so that of
    samples without any excess 99 in 100 are left whole (Benjamini & Hochberg 1995). A row that is not finite repeats
    nothing.
    """
    n = len(points)
    answer = np.zeros(n, dtype=bool)
    # Rows that agree agree in their first bits, and that is quick to rule out.
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
        # A number near zero is the sum of larger ones, and rounded as they are: as the median at least.
        most = np.finfo(np.float32).max / 2
        usual = np.nanmedian(np.minimum(np.abs(points), most), axis=0)
        digits = np.clip(np.abs(places), usual, most).astype(np.float32)
        rounding = np.log(np.spacing(digits).astype(np.float64)).sum(axis=1)
        by_chance = n * np.exp(np.minimum(log_density(places) + rounding, 0.0))
        chance = poisson.sf(copies[atom] - 2, by_chance)
        allowed = FALSELY * np.arange(1, len(chance) + 1) / n
        passed = np.flatnonzero(np.sort(chance) <= allowed)
        atom[atom] = chance <= (allowed[passed[-1]] if len(passed) else -1.0)
        answer[order] = np.repeat(atom, copies)
    return answer


def _first_bits(points: np.ndarray) -> np.ndarray:
    """A whole number for each row, (n, d) -> (n,): of the plane all of a row in float32, its first coordinate else."""
    plain = np.ascontiguousarray(points + 0.0)  # -0 is 0
    whole = plain.dtype == np.float32 and plain.shape[1] % 2 == 0
    return plain.view(np.uint64 if whole else f"u{plain.itemsize}")[:, 0]
