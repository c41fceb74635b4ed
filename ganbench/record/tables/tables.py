"""The tables of a run, derived from its record alone: the same journal gives the same bytes.

A missing number is an empty field. Seeds that were stopped (out_of_memory, error, lost) are counted and have no
numbers. A diverged seed is a result: its last row counts. A value that a result lacks counts as the worst: as infinite
for the median of a column that has a better side, and, of a diverged seed, as false for a share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ganbench.core.disk import write
from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord, Row
from ganbench.record.folder import RunFolder
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.record.tables.best_of_k import tries
from ganbench.record.tables.csv_text import as_csv
from ganbench.record.tables.differences import differences
from ganbench.record.tables.frame import frame
from ganbench.record.tables.hold import held_share, hold
from ganbench.record.tables.profiles import profiles
from ganbench.record.tables.published import published
from ganbench.record.tables.values import against, baseline, last_values, paired, values
from ganbench.record.told import number
from ganbench.stats.intervals import NOTHING, interquartile_mean, median
from ganbench.stats.paired import detectable


def write_tables(folder: RunFolder) -> pd.DataFrame:
    """Write curves, seeds, table, differences and profiles, each completely or not at all; return the table.

    Where the suite sweeps, also the best of k tries; where it says what a paper gives, also that beside ours.
    """
    record = Record.read(folder)
    made = {
        folder.curves: curves(record),
        folder.seeds: seeds(record),
        folder.table: table(record),
        folder.differences: differences(record),
        folder.profiles: profiles(record),
    }
    if record.swept:
        made[folder.tries] = tries(record)
    if record.published:
        made[folder.published] = published(record)
    for path, content in made.items():
        write(path, as_csv(content))
    return made[folder.table]


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of dicts that JSON can hold: None for missing, "inf" for infinite."""
    return [
        {str(name): _json(value) for name, value in zip(frame.columns, row, strict=True)}
        for row in frame.astype(object).itertuples(index=False, name=None)
    ]


def curves(record: Record) -> pd.DataFrame:
    """A row for each dataset, variant, seed and evaluation, in the order planned.

    dataset, variant, family, seed, status, step, the metrics' columns, and for each ``share`` column X first_X_step,
    held_X_step and X_departures, so far.
    """
    columns = _seed_columns(record)
    rows = []
    for cell in record.cells:
        for seed in cell.seeds:
            for step, row in cell.history(seed).items():
                rows.append(
                    _row(cell)
                    | {"seed": seed}
                    | {"status": str(row.status), "step": step}
                    | _numbers(cell, seed, row.values, columns, until=step)
                )
    return frame(rows, ("dataset", "variant", "family", "seed", "status", "step", *_seed_names(columns)))


def seeds(record: Record) -> pd.DataFrame:
    """A row for each dataset, variant and seed planned, however it ended.

    dataset, variant, family, seed, status, step, verdict, verdict_reason, the metrics' columns at the last evaluation,
    for each ``share`` column X first_X_step, held_X_step and X_departures, engine, arithmetic, message.
    """
    columns = _seed_columns(record)
    rows = []
    for cell in record.cells:
        for seed in cell.seeds:
            outcome, result, (word, reason) = (
                cell.outcome(seed),
                cell.result(seed),
                cell.verdict(seed, record.columns),
            )
            rows.append(
                _row(cell)
                | {"seed": seed, "status": str(outcome.status), "step": outcome.step}
                | {"engine": cell.engine, "arithmetic": _arithmetic(cell)}
                | {"verdict": word or None, "verdict_reason": reason or None, "message": _message(cell, seed)}
                | ({} if result is None else _numbers(cell, seed, result, columns))
            )
    fixed = ("dataset", "variant", "family", "seed", "status", "step", "verdict", "verdict_reason")
    return frame(rows, (*fixed, *_seed_names(columns), "engine", "arithmetic", "message"))


def table(record: Record) -> pd.DataFrame:
    """A row for each dataset and variant.

    dataset, variant, family, whether it is a reference, how many seeds were planned and how they ended (seeds, done,
    diverged, failed, verdicts), what the columns fill (see ``column.Column.summary``), engine, arithmetic.
    A median is infinite where half of the seeds have the worst value; an end of an interval that is not finite is
    empty, and so is first_X_step unless more than half of the measured seeds reached X.
    """
    rivals = against(record, baseline(record))
    rows = []
    for cell in record.cells:
        statuses = [cell.outcome(seed).status for seed in cell.seeds]
        row: dict[str, Any] = {
            **_row(cell),
            "reference": cell.reference,
            "seeds": len(statuses),
            "done": statuses.count(Status.DONE),
            "diverged": statuses.count(Status.DIVERGED),
            "failed": sum(not status.measured for status in statuses),
            "verdicts": _count((cell.verdict(seed, record.columns).word for seed in cell.seeds), "{} x {}", ", "),
            "engine": cell.engine,
            "arithmetic": _arithmetic(cell),
        }
        for column in record.columns:
            row |= zip(column.fills, _summary(cell, column, rivals.get(cell.dataset)), strict=True)
        rows.append(row)
    fixed = ("dataset", "variant", "family", "reference", "seeds", "done", "diverged", "failed", "verdicts")
    return frame(rows, (*fixed, *(name for column in record.columns for name in column.fills), "engine", "arithmetic"))


def _row(cell: CellRecord) -> dict[str, Any]:
    """Which row of the suite a cell is; ``family``: the variant of which a sweep has made it, or itself."""
    return {"dataset": cell.dataset, "variant": cell.variant, "family": cell.family}


def _arithmetic(cell: CellRecord) -> str | None:
    """The precision of the training; None where nothing was trained."""
    return None if cell.reference else cell.precision


def _message(cell: CellRecord, seed: int) -> str:
    """All notes on a seed: how it ended, which metrics gave no number, how its cell was trained."""
    notes = ((cell.result(seed) or {}).get("note"), cell.speed.get("note"), cell.note)
    return "; ".join(filter(None, (cell.outcome(seed).message, *cell.failures(seed), *notes)))


def _summary(cell: CellRecord, column: Column, rival: CellRecord | None) -> tuple[Any, ...]:
    """The values of ``column.fills`` for one cell; ``rival``: the baseline's cell on the same dataset."""
    match column.summary:
        case "median":
            numbers = values(cell, column).values()
            middle = median(numbers)
            if column.better == "neither":
                return middle
            if middle.value is None and numbers:
                # Half of the seeds have the worst value: a result, not a missing one.
                middle = middle._replace(value=math.inf if column.better == "lower" else -math.inf)
            return (*middle, *interquartile_mean(numbers), _detectable(cell, column, rival))
        case "share":
            return _share(cell, column)
        case "same":
            distinct = {number(cell.speed.get(column.name)), *last_values(cell, column).values()} - {None}
            return (distinct.pop(),) if len(distinct) == 1 else (None,)
        case "words":
            return (_count(map(str, last_values(cell, column).values()), "{} x {}", "; "),)
        case "none":
            return ()


def _detectable(cell: CellRecord, column: Column, rival: CellRecord | None) -> float | None:
    """The smallest difference to the baseline that the seeds could have shown.

    For the baseline itself: the difference to a variant that scatters as much.
    """
    if cell.reference or rival is None:
        return None
    if cell is rival:
        # Another variant scatters as much and independently: the differences have twice the variance.
        with np.errstate(over="ignore"):
            return detectable(pd.Series(values(cell, column), dtype=float).to_numpy() * math.sqrt(2))
    return detectable(paired(cell, rival, column))


def _share(cell: CellRecord, column: Column) -> tuple[Any, ...]:
    diverged = {seed for seed in cell.seeds if cell.outcome(seed).status is Status.DIVERGED}
    holds = [hold(cell, seed, column) for seed in sorted(last_values(cell, column).keys() | diverged)]
    held = held_share(cell, column)
    first = median(math.inf if one.first is None else one.first for one in holds)
    since = median(math.inf if one.since is None else one.since for one in holds)
    reached = [one.departures for one in holds if one.first is not None and one.departures is not None]
    return (*held, *first, *since, *(median(reached) if reached else NOTHING))


def _count(words: Iterable[str], form: str, between: str) -> str | None:
    """Each distinct text with how many rows have it, most common first, without empty ones."""
    counts = Counter(word for word in words if word)
    return between.join(form.format(count, word) for word, count in counts.most_common()) or None


def _seed_columns(record: Record) -> list[Column]:
    """The columns with values of a seed: all but those that only the cells' speed fills."""
    of_seeds = {
        name
        for cell in record.cells
        for rows in cell.evaluations.values()
        for row in rows.values()
        for name in row.values
    }
    of_cells = {name for cell in record.cells for name in cell.speed}
    return [
        one for one in record.columns if one.name in of_seeds or not (one.name in of_cells or one.summary == "same")
    ]


def _seed_names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns] + [name for column in columns for name in column.of_seed[1:]]


def _numbers(
    cell: CellRecord, seed: int, row: Row, columns: Sequence[Column], until: int | None = None
) -> dict[str, Any]:
    numbers = {column.name: number(row.get(column.name)) for column in columns}
    for column in columns:
        if column.summary == "share":
            held = hold(cell, seed, column, until=until)
            numbers |= zip(column.of_seed[1:], (held.first, held.since, held.departures), strict=True)
    return numbers


def _json(value: Any) -> Any:
    if value is pd.NA or value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value) if isinstance(value, float) and math.isinf(value) else value
