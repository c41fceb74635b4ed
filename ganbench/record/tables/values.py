"""The values of a cell's seeds as numbers: a missing one counts as the worst, where a column has a better side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganbench.plugin.column import Column, find
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record
from ganbench.record.told import number
from ganbench.stats.paired import differences


def last_values(cell: CellRecord, column: Column) -> dict[int, Any]:
    """The value of each measured seed at its last evaluation, without seeds that have none."""
    results = {seed: cell.result(seed) for seed in cell.seeds}
    values = {seed: number(row.get(column.name)) for seed, row in results.items() if row is not None}
    return {seed: value for seed, value in values.items() if value is not None}


def values(cell: CellRecord, column: Column) -> dict[int, float]:
    """The number of each measured seed. A missing one is the worst, an infinity; without a better side it is left out.

    Empty where no seed has a value: the column does not apply to the cell.
    """
    known = last_values(cell, column)
    worst = {"lower": math.inf, "higher": -math.inf}.get(column.better)
    if not known or worst is None:
        return {seed: float(value) for seed, value in known.items()}
    measured = (seed for seed in cell.seeds if cell.outcome(seed).status.measured)
    return {seed: float(known.get(seed, worst)) for seed in measured}


def paired(cell: CellRecord, baseline: CellRecord, column: Column) -> np.ndarray:
    """The cell's numbers minus the baseline's, seed by seed.

    Args:
        cell: The cell.
        baseline: The cell of the baseline on the same dataset.
        column: The column with a better side, or none.

    Returns:
        The differences in the column's unit, (pairs,): one for each seed that has a number in both cells.
    """
    ours, theirs = values(cell, column), values(baseline, column)
    both = [seed for seed in ours if seed in theirs]
    return differences([ours[seed] for seed in both], [theirs[seed] for seed in both])


def baseline(record: Record) -> str | None:
    """The variant that others are compared with by default: the first that was trained."""
    return next((cell.variant for cell in record.cells if not cell.reference), None)


def against(record: Record, variant: str | None) -> dict[str, CellRecord]:
    """The cells of this variant by dataset."""
    return {cell.dataset: cell for cell in record.cells if cell.variant == variant}


def sided(columns: Sequence[Column]) -> list[Column]:
    """The columns that tell which of two variants is better: the primary one first, then in the metrics' order."""
    first = find(columns, "primary")
    return sorted((column for column in columns if column.sided), key=lambda column: column != first)
