"""When a seed first reached something, from when on it held it, and how often it lost it again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.status import Status
from ganbench.record.tables.values import last_values
from ganbench.record.verdict import HELD
from ganbench.stats.intervals import Interval, share


class Hold(NamedTuple):
    """How a ``share`` column went over a seed's evaluations.

    ``first``: the first step at which it was true. ``since``: the first step of the first ``HELD`` evaluations in a row
    at which it was true; in a cell with fewer evaluations, of all of them. ``departures``: how often it was false after
    it had been true. ``to_the_end``: whether it was true at the last ``HELD`` evaluations (or all, if fewer). None
    where the seed has no value of the column. Where the data change during training, only what comes after the last
    change counts, and steps are counted from it.
    """

    first: int | None = None
    since: int | None = None
    departures: int | None = None
    to_the_end: bool | None = None


def hold(cell: CellRecord, seed: int, column: Column, *, until: int | None = None) -> Hold:
    """How a seed has held a ``share`` column.

    An evaluation counts where any seed of the cell has a value of the column: some columns are measured at the end
    only.

    Args:
        cell: The cell.
        seed: One of its seeds.
        column: The column, true or false at an evaluation.
        until: The last step that counts; all steps unless given.

    Returns:
        The ``Hold``; all None where the seed has no value of the column.
    """
    counted = [
        step
        for step, rows in sorted(cell.evaluations.items())
        if cell.counts(step) and any(row.values.get(column.name) is not None for row in rows.values())
    ]
    history = cell.history(seed)
    if all(history[step].values.get(column.name) is None for step in counted if step in history):
        return Hold()
    steps = [step for step in counted if step in history and (until is None or step <= until)]
    true = [bool(history[step].values.get(column.name)) for step in steps]
    steps = [step - cell.turn for step in steps]
    need = min(HELD, len(counted))
    return Hold(
        first=next((step for step, now in zip(steps, true, strict=True) if now), None),
        since=_since(steps, true, need),
        departures=sum(before and not now for before, now in pairwise(true)),
        to_the_end=len(true) >= need and all(true[-need:]),
    )


def held_share(cell: CellRecord, column: Column) -> Interval:
    """The share of the measured seeds that have held a ``share`` column to the end, with its exact interval."""
    diverged = {seed for seed in cell.seeds if cell.outcome(seed).status is Status.DIVERGED}
    measured = sorted(last_values(cell, column).keys() | diverged)
    return share(sum(bool(hold(cell, seed, column).to_the_end) for seed in measured), len(measured))


def _since(steps: Sequence[int], true: Sequence[bool], need: int) -> int | None:
    starts = range(len(steps) - need + 1)
    return next((steps[start] for start in starts if all(true[start : start + need])), None)
