"""The three tables of a run, derived from its record alone: the same journal gives the same bytes.

A missing number is an empty field. Seeds that were stopped (timeout, out_of_memory, error, lost) are counted and
have no numbers. A diverged seed is a result: the last row it left counts. What a result does not say counts as the
worst: beyond all others for a median of something that has a better side, and, of a diverged seed, false for a share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from ganbench.kinds import Column
from ganbench.record.folder import RunFolder, write
from ganbench.record.replay import CellRecord, Record, Row
from ganbench.record.status import Status
from ganbench.statistics import median, share

#: The columns of the throughput metric. They hold time, and so differ between two runs of the same thing.
TIME_COLUMNS = frozenset(
    f"model_steps_per_second{end}" for end in ("", "_low", "_high", "_one", "_one_low", "_one_high")
)

_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def is_time(column: Column) -> bool:
    """Whether a column holds time, by its name or its unit (``s``, ``ms`` or anything ``/s``)."""
    return column.name in TIME_COLUMNS or column.unit in ("s", "ms") or column.unit.endswith("/s")


def write_tables(folder: RunFolder) -> pd.DataFrame:
    """Write curves.csv, seeds.csv and table.csv, each whole or not at all; return the last."""
    record = Record.read(folder)
    frame = table(record)
    for path, content in ((folder.curves, curves(record)), (folder.seeds, seeds(record)), (folder.table, frame)):
        write(path, content.to_csv(index=False, lineterminator="\n"))
    return frame


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of dicts that JSON can hold: None for missing, "inf" for infinite."""
    return [
        {str(name): _json(value) for name, value in zip(frame.columns, row, strict=True)}
        for row in frame.astype(object).itertuples(index=False, name=None)
    ]


def curves(record: Record) -> pd.DataFrame:
    """A row for each dataset, variant, seed and evaluation, in the order planned.

    dataset, variant, seed, status, step, the metrics' columns, and for each ``share`` column X
    first_X_step: the first evaluated step, so far, at which X was true.
    """
    columns = _seed_columns(record)
    rows = []
    for cell in record.cells:
        for seed in cell.seeds:
            history = cell.history(seed)
            for step, row in history.items():
                so_far = {past: said for past, said in history.items() if past <= step}
                rows.append(
                    {"dataset": cell.dataset, "variant": cell.variant, "seed": seed}
                    | {"status": row["status"], "step": step}
                    | _numbers(row, so_far, columns)
                )
    return _frame(rows, ("dataset", "variant", "seed", "status", "step", *_seed_names(columns)))


def seeds(record: Record) -> pd.DataFrame:
    """A row for each dataset, variant and seed planned, whatever became of it.

    dataset, variant, seed, status, step, the metrics' columns at the last evaluation, first_X_step for each
    ``share`` column X, engine, message.
    """
    columns = _seed_columns(record)
    rows = []
    for cell in record.cells:
        for seed in cell.seeds:
            ending, result = cell.ending(seed), cell.result(seed)
            rows.append(
                {"dataset": cell.dataset, "variant": cell.variant, "seed": seed}
                | {"status": str(ending.status), "step": ending.step, "engine": cell.engine}
                | {"message": ending.message or cell.note}
                | ({} if result is None else _numbers(result, cell.history(seed), columns))
            )
    names = ("dataset", "variant", "seed", "status", "step", *_seed_names(columns), "engine", "message")
    return _frame(rows, names)


def table(record: Record) -> pd.DataFrame:
    """A row for each dataset and variant.

    dataset, variant, how many seeds were planned and how they ended (seeds, done, diverged, failed), what the
    columns fill (see ``kinds.Column.summary``), engine. A median or an end of an interval that is not finite is
    empty: first_X_step is empty unless more than half of the measured seeds reached X.
    """
    rows = []
    for cell in record.cells:
        statuses = [cell.ending(seed).status for seed in cell.seeds]
        row: dict[str, Any] = {
            "dataset": cell.dataset,
            "variant": cell.variant,
            "seeds": len(statuses),
            "done": statuses.count(Status.DONE),
            "diverged": statuses.count(Status.DIVERGED),
            "failed": sum(not status.measured for status in statuses),
            "engine": cell.engine,
        }
        for column in record.columns:
            row |= zip(column.fills, _summary(cell, column), strict=True)
        rows.append(row)
    fixed = ("dataset", "variant", "seeds", "done", "diverged", "failed")
    return _frame(rows, (*fixed, *(name for column in record.columns for name in column.fills), "engine"))


def _summary(cell: CellRecord, column: Column) -> tuple[float | None, ...]:
    """The values of ``column.fills`` for one cell."""
    measured = [seed for seed in cell.seeds if cell.ending(seed).status.measured]
    diverged = {seed for seed in measured if cell.ending(seed).status is Status.DIVERGED}
    values = {seed: _number((cell.result(seed) or {}).get(column.name)) for seed in measured}
    said = {seed: value for seed, value in values.items() if value is not None}
    match column.summary:
        case "median":
            worst = {"lower": math.inf, "higher": -math.inf}.get(column.better)
            silent = [] if worst is None else [worst for seed in measured if seed not in said]
            return median([*said.values(), *silent])
        case "share":
            steps = [_first(cell.history(seed), column) for seed in said.keys() | diverged]
            reached = [math.inf if step is None else step for step in steps]
            return (*share(sum(map(bool, said.values())), len(steps)), median(reached).value)
        case "same":
            distinct = {_number(cell.speed.get(column.name)), *said.values()} - {None}
            return (distinct.pop(),) if len(distinct) == 1 else (None,)
        case "none":
            return ()


def _seed_columns(record: Record) -> list[Column]:
    """The columns that say something about a seed: all but those that only the cells' speed fills."""
    of_seeds = {
        name for cell in record.cells for rows in cell.evaluations.values() for row in rows.values() for name in row
    }
    of_cells = {name for cell in record.cells for name in cell.speed}
    return [one for one in record.columns if one.name in of_seeds or not (one.name in of_cells or is_time(one))]


def _seed_names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns] + [column.first for column in columns if column.summary == "share"]


def _numbers(row: Row, history: dict[int, Row], columns: Sequence[Column]) -> dict[str, Any]:
    values = {column.name: _number(row.get(column.name)) for column in columns}
    return values | {column.first: _first(history, column) for column in columns if column.summary == "share"}


def _first(history: dict[int, Row], column: Column) -> int | None:
    return next((step for step, row in sorted(history.items()) if row.get(column.name)), None)


def _number(value: Any) -> Any:
    """A number as the journal holds it, with the words it uses for infinities turned back."""
    return _INFINITIES.get(value, value) if isinstance(value, str) else value


def _frame(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    rows = list(rows)
    return pd.DataFrame({name: _series([row.get(name) for row in rows]) for name in names}, columns=list(names))


def _series(values: list[Any]) -> pd.Series[Any]:
    """One column, typed by its values, so that a missing one does not turn whole numbers into fractions."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int}:
        return pd.Series(values, dtype="Int64")
    return pd.Series(values, dtype="float64" if str not in kinds else object)


def _json(value: Any) -> Any:
    if value is pd.NA or value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value) if isinstance(value, float) and math.isinf(value) else value
