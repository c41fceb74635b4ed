"""Performance profiles: the share of a variant's runs, over all datasets, that are as good as a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from ganbench.plugin.column import Column
from ganbench.record.record import Record
from ganbench.record.tables.frame import frame
from ganbench.record.tables.values import sided, values
from ganbench.stats.intervals import share

_POINTS = 71


def profiles(record: Record) -> pd.DataFrame:
    """A row for each variant and tau: the share of its runs, over seeds and datasets, that are as good as tau.

    variant, reference, column, runs, tau, share, low, high. The column is the primary one, from its best to its worst
    value; in a run without one the first column with a better side, over its range. As good: at or below tau, or at or
    above it where higher is better. Source: Agarwal et al. 2021.

    The interval is Clopper & Pearson's: over datasets of different difficulty the number of runs scatters less than a
    binomial number does, so the interval covers at least 95 % (Hoeffding 1956); also where all runs agree, for which a
    bootstrap gives no width. It holds for each tau alone and for these datasets.
    """
    columns = sided(record.columns)[:1]
    return frame(
        [row for column in columns for row in _rows(record, column)],
        ("variant", "reference", "column", "runs", "tau", "share", "low", "high"),
    )


def _rows(record: Record, column: Column) -> Iterator[dict[str, Any]]:
    runs: dict[tuple[str, bool], list[float]] = {}
    for cell in record.cells:
        runs.setdefault((cell.variant, cell.reference), []).extend(values(cell, column).values())
    grid = _grid(column, [run for some in runs.values() for run in some])
    for (variant, reference), some in runs.items():
        for tau in grid if some else ():
            reached = sum(run <= tau if column.better == "lower" else run >= tau for run in some)
            within = share(reached, len(some))
            row = {"variant": variant, "reference": reference, "column": column.name, "runs": len(some), "tau": tau}
            yield row | {"share": within.value, "low": within.low, "high": within.high}


def _grid(column: Column, runs: Iterable[float]) -> list[float]:
    known = column.thresholds
    if known is not None and known.worst is not None:
        low, high = sorted((known.best, known.worst))
        return [float(f"{tau:.12g}") for tau in np.linspace(low, high, _POINTS)]
    finite = [run for run in runs if math.isfinite(run)]
    return [float(tau) for tau in np.unique(np.linspace(min(finite), max(finite), _POINTS))] if finite else []
