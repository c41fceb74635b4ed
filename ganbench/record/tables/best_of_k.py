"""The best of k tries of each variant that a suite sweeps, derived from a run's record alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record
from ganbench.record.tables.frame import frame
from ganbench.record.tables.values import last_values, sided
from ganbench.stats.best_of_k import best_of

_ENDS = ("best", "low", "high", "mean", "mean_low", "mean_high")


def tries(record: Record, columns: int | None = None) -> pd.DataFrame:
    """A row for each column with a better side, dataset, family of several settings, and k up to their number.

    dataset, family, column, unit, better, settings, k, best (the median of the best of k settings picked at random,
    each with one seed, see ``best_of``) with low and high, mean with mean_low and mean_high. A seed without a number,
    diverged or failed, counts as the worst. A family is left out on a dataset where some of its cells have not ended,
    and in a column in which it has no number at all. ``columns``: only the first so many columns; all unless given.
    """
    families: dict[tuple[str, str], list[CellRecord]] = {}
    for cell in record.cells:
        families.setdefault((cell.dataset, cell.family), []).append(cell)
    swept = [cells for cells in families.values() if len(cells) > 1 and all(cell.ended for cell in cells)]
    rows = [row for column in sided(record.columns)[:columns] for cells in swept for row in _rows(cells, column)]
    return frame(rows, ("dataset", "family", "column", "unit", "better", "settings", "k", *_ENDS))


def _rows(cells: list[CellRecord], column: Column) -> list[dict[str, Any]]:
    known = [last_values(cell, column) for cell in cells]
    if not any(known):
        return []
    sign = 1 if column.better == "lower" else -1
    numbers = [[sign * float(one.get(seed, sign * math.inf)) for seed in cells[0].seeds] for one in known]
    rows = []
    for k, best in enumerate(best_of(np.array(numbers)), 1):
        ends = [number for value, *interval in best for number in (value, *interval[::sign])]
        rows.append(
            {"dataset": cells[0].dataset, "family": cells[0].family, "column": column.name, "unit": column.unit}
            | {"better": column.better, "settings": len(cells), "k": k}
            | {name: None if end is None else sign * end for name, end in zip(_ENDS, ends, strict=True)}
        )
    return rows
