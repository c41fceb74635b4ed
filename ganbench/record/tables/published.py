"""What a paper published beside what this run measured, derived from the run's record alone.

*agrees*: the interval of the difference, made from both intervals, holds 0 or comes as near to it as the paper's number
was rounded. *differs*: it does not. *not comparable*: where one of them has no interval, or the suite says that they
are not the same thing.

A paper prints means, so ours is a mean here, and not the median of the table; a share is a share in both.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganbench.core.published import PublishedRow
from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record
from ganbench.record.tables.frame import frame
from ganbench.record.tables.hold import held_share
from ganbench.record.tables.values import last_values, values
from ganbench.record.told import number
from ganbench.stats.intervals import NOTHING, Interval, share
from ganbench.stats.unpaired import difference, mean, with_spread

AGREES, DIFFERS, NOT_COMPARABLE = "agrees", "differs", "not comparable"
COLUMNS = (
    *("dataset", "variant", "column", "called", "ours", "ours_low", "ours_high", "seeds"),
    *("published", "published_low", "published_high", "trials", "difference", "low", "high", "word", "why"),
)


def published(record: Record) -> pd.DataFrame:
    """A row for each number that the suite says was published, in its order.

    dataset, variant, column, called (by the paper), ours (a mean over seeds, or a share of them) with ours_low and
    ours_high, seeds, published with published_low and published_high, trials, difference (ours minus published) with
    low and high, word (agrees, differs, not comparable) and why. Empty where the suite says nothing of the kind.
    """
    cells = {(cell.dataset, cell.variant): cell for cell in record.cells}
    columns = {column.name: column for column in record.columns}
    rows = []
    for row in record.published.rows if record.published else ():
        rows.append(_row(row, cells.get((row.dataset, row.variant)), columns.get(row.column)))
    return frame(rows, COLUMNS)


def _row(row: PublishedRow, cell: CellRecord | None, column: Column | None) -> dict[str, Any]:
    ours, why = (NOTHING, "this run has no such row") if cell is None or column is None else _ours(cell, column)
    theirs = _theirs(row, column)
    apart = difference(ours, theirs)
    why = row.unlike or why or ("" if theirs.low is not None else "the paper gives no spread")
    word = NOT_COMPARABLE
    if not why and apart.low is not None and apart.high is not None:
        # A little more, so that a number that is rounded to the paper's own is never beyond it by rounding here.
        near = row.rounding * (1 + 1e-9)
        word = AGREES if apart.low <= near and apart.high >= -near else DIFFERS
    return {
        "dataset": row.dataset,
        "variant": row.variant,
        "column": row.column,
        "called": row.called or None,
        **dict(zip(("ours", "ours_low", "ours_high"), ours, strict=True)),
        "seeds": len(cell.seeds) if cell else None,
        **dict(zip(("published", "published_low", "published_high"), theirs, strict=True)),
        "trials": row.trials,
        **dict(zip(("difference", "low", "high"), apart, strict=True)),
        "word": word,
        "why": why or None,
    }


def _ours(cell: CellRecord, column: Column) -> tuple[Interval, str]:
    """Our number, and why it cannot be compared; empty where it can."""
    if not cell.ended:
        return NOTHING, "the row has not ended"
    if column.summary == "share":
        found = held_share(cell, column)
        return found, "" if found.value is not None else "it does not apply to the row"
    if column.summary == "same":
        one = number(cell.speed.get(column.name))
        numbers = [float(value) for value in (*last_values(cell, column).values(), *([] if one is None else [one]))]
        alike = len(set(numbers)) == 1
        return (Interval(*numbers[:1] * 3), "") if alike else (NOTHING, "the seeds have no one number")
    numbers = list(values(cell, column).values())
    if not numbers:
        return NOTHING, "no seed has a number"
    found = mean(numbers)
    lacking = len(cell.seeds) - len(numbers) + sum(not abs(value) < float("inf") for value in numbers)
    if lacking:
        return found, f"{lacking} of {len(cell.seeds)} seeds have no number, and a mean needs all"
    return found, "" if found.low is not None else "a mean needs 2 seeds for an interval"


def _theirs(row: PublishedRow, column: Column | None) -> Interval:
    if column is not None and column.summary == "share":
        if row.trials is None:
            return Interval(row.value, None, None)
        return Interval(row.value, *share(round(row.value * row.trials), row.trials)[1:])
    return with_spread(row.value, row.standard_error, row.trials)
