"""What the seeds of a cell say so far: as the table would summarise them if the cell ended now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.events import SeedOutcome
from ganbench.record.status import Status
from ganbench.record.tables.values import last_values, values
from ganbench.record.told import number
from ganbench.stats.intervals import Interval, median, share


def so_far(cell: CellRecord, columns: Sequence[Column]) -> dict[str, Interval]:
    """The summary of the last row of each seed, by the names that table.csv has.

    A ``median`` with its interval; of a ``share`` column X, X_share: the share of the seeds of which it is true now;
    of ``same`` the value; ``diverged``: how many seeds have diverged. What is not finite or not there is left out.
    """
    if not cell.ended:
        last = {seed: max(steps.items()) for seed in cell.seeds if (steps := cell.history(seed))}
        cell = replace(cell, outcomes={seed: SeedOutcome(seed, row.status, step) for seed, (step, row) in last.items()})
    found: dict[str, Interval] = {}
    for column in columns:
        match column.summary:
            case "median":
                found[column.name] = median(values(cell, column).values())
            case "share":
                known = last_values(cell, column).values()
                found[f"{column.name}_share"] = share(sum(map(bool, known)), len(known))
            case "same":
                distinct = {number(cell.speed.get(column.name)), *last_values(cell, column).values()} - {None}
                found[column.name] = Interval(float(distinct.pop()) if len(distinct) == 1 else None, None, None)
    diverged = sum(outcome.status is Status.DIVERGED for outcome in cell.outcomes.values())
    found["diverged"] = Interval(float(diverged), None, None)
    return {name: one for name, one in found.items() if one.value is not None}
