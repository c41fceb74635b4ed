"""The description of a run for a comparison: the rows of its seeds, and all else as JSON can hold it.

A baseline is these two in files. One function makes a ``ComparedRun`` of both, so a run and the baseline saved from it
are equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ganbench.compare.sides.compared_run import Case, ComparedRun, Name, Seed
from ganbench.core.controls import without_controls
from ganbench.plugin.column import RESERVED_COLUMNS, Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.control import control
from ganbench.record.folder import OLDER, RunFolder
from ganbench.record.gaps import gap_lines
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.record.tables.frame import frame
from ganbench.record.tables.tables import seeds
from ganbench.record.told import number
from ganbench.suite import document
from ganbench.suite.mistake import SuiteError

#: Columns of sentences about a seed: the numbers have the same content, and messages go to the case.
_SENTENCES = ("verdict_reason", "message")
_UNFINISHED = "the run has not finished"
#: The keys of run.json that a comparison needs.
_WRITTEN = ("created", "protocol", "device", "versions", "project", "plugins")


def describe_run(folder: RunFolder) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of seeds.csv of what was trained, in their order, without sentences; and all else about the run.

    The latter: suite, run, created, protocol, guard (the suite's floors by variant, of all under ""), variants, device,
    versions, git, plugins, columns and, for each case, its seeds, its speed, its counts and the messages of its seeds.
    Raises ValueError, in one line, where the run is damaged or was made by an older ganbench.
    """
    record, run, suite = Record.read(folder), folder.describe(), _resolved(folder)
    if record.shard is not None:
        raise ValueError(
            f"{folder.path}: is {record.shard}, a part of a run: make one run of all shards: ganbench merge"
        )
    for key in _WRITTEN:
        if key not in run:
            raise ValueError(f"{folder.path}: its run.json has no {key!r}: {OLDER}")
    for line in gap_lines(record):
        raise ValueError(f"{folder.path}: {line}: run the suite again")
    trained = [cell for cell in record.cells if not cell.reference]
    try:
        about: dict[str, Any] = {
            "suite": suite["suite"],
            "run": record.name,
            "created": run["created"],
            "protocol": {
                "version": run["protocol"],
                **{part: suite[part] for part in ("budget", "evaluate", "datasets")},
                "metrics": _by_name(suite["metrics"]),
            },
            "guard": _guard(suite, trained),
            "variants": _variants(suite),
            "device": run["device"],
            "versions": run["versions"],
            "git": run["project"],
            "plugins": [
                {key: one[key] for key in ("kind", "name", "sha256")}
                | ({"uses": {**one["uses"]}} if "uses" in one else {})
                for one in run["plugins"]
            ],
            # Older runs have none: whether their data are the same is not known.
            "data": {
                name: {key: one[key] for key in ("sha256", "rows", "mean", "quartiles", "labels") if key in one}
                for name, one in run.get("data", {}).items()
            },
            "columns": run["columns"],
            "cases": [_case(cell, record.columns, finished=record.finished) for cell in trained],
        }
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"{folder.path}: its run.json and suite.yaml do not fit together: {error!r}") from error
    table = seeds(record)
    names = [name for name in table.columns if name not in _SENTENCES]
    kept = {(cell.dataset, cell.variant) for cell in trained}
    trained_rows = (row for row in rows(table[names]) if (row["dataset"], row["variant"]) in kept)
    return frame(({name: _one_line(value) for name, value in row.items()} for row in trained_rows), names), about


def compared_run(table: pd.DataFrame, about: Mapping[str, Any], label: str) -> ComparedRun:
    """The ``ComparedRun`` of a run or a baseline.

    Args:
        table: The rows of its seeds, as ``describe_run`` and ``baseline_reader.read`` give them.
        about: All else about it, from the same functions.
        label: Its name as the user wrote it.

    Returns:
        The run as a comparison needs it.
    """
    columns = {one["name"]: Column.from_json(one) for one in about["columns"]}
    skipped = {*RESERVED_COLUMNS, *(name for name, column in columns.items() if column.summary == "words")}
    described = {(one["dataset"], one["variant"]): one for one in about["cases"]}
    seeds_of: dict[Name, dict[int, Seed]] = {name: {} for name in described}
    for row in rows(table):
        name = (row["dataset"], row["variant"])
        numbers = {column: _number(value) for column, value in row.items() if column not in skipped}
        message = described[name]["messages"].get(str(row["seed"]), "")
        seeds_of[name][row["seed"]] = Seed(Status(row["status"]), numbers, message)
    return ComparedRun(
        label=label,
        suite=about["suite"],
        protocol=about["protocol"],
        columns=columns,
        metric_of={one["name"]: one["metric"] for one in about["columns"]},
        cases={
            name: Case(
                *name,
                seeds_of[name],
                _numbers(one["speed"]),
                _numbers(one["counts"]),
                tuple(one.get("failures", ())),
                one.get("void", ""),
            )
            for name, one in described.items()
        },
        guard=about["guard"],
        variants=about["variants"],
        device=about["device"],
        versions=about["versions"],
        git=about["git"],
        plugins={f"{one['kind']} {one['name']}": one["sha256"] for one in about["plugins"]},
        uses={f"{one['kind']} {one['name']}": one["uses"] for one in about["plugins"] if "uses" in one},
        data=about.get("data", {}),
    )


def rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a table with plain values, None for missing."""
    names = [str(name) for name in table.columns]
    for row in table.astype(object).itertuples(index=False, name=None):
        yield {name: None if pd.isna(value) else value for name, value in zip(names, row, strict=True)}


def _one_line(value: Any) -> Any:
    """A text on one line: a row of the table is to be one line of its file."""
    return without_controls(" ".join(value.split())) or None if isinstance(value, str) else value


def _resolved(folder: RunFolder) -> Any:
    try:
        return document.read(folder.suite).value
    except SuiteError as error:
        raise ValueError(str(error)) from None


def _by_name(metrics: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The metrics by name; one without columns may be there twice, the second is then ``name[2]``."""
    named: dict[str, Any] = {}
    for metric in metrics:
        name, again = metric["name"], 2
        while name in named:
            name, again = f"{metric['name']}[{again}]", again + 1
        named[name] = metric
    return named


def _guard(suite: Mapping[str, Any], trained: Iterable[CellRecord]) -> dict[str, Any]:
    own = {cell.variant: suite["variants"].get(cell.family, {}).get("guard") for cell in trained}
    return {name: given for name, given in {"": suite.get("guard"), **own}.items() if given}


def _variants(suite: Mapping[str, Any]) -> dict[str, Any]:
    """How each variant is trained, without its sweep (which is in the rows' names) and what it is judged by."""
    elsewhere = ("sweep", "guard", "expect")
    return {
        name: {part: value for part, value in variant.items() if part not in elsewhere}
        for name, variant in suite["variants"].items()
    }


def _case(cell: CellRecord, columns: Sequence[Column], *, finished: bool) -> dict[str, Any]:
    """What was measured of a cell, its times apart from its counts, and the messages of its seeds."""
    measured = [column for column in columns if cell.speed.get(column.name) is not None and column.summary != "words"]
    unfinished = "" if finished or cell.ended else _UNFINISHED
    messages = {str(seed): cell.outcome(seed).message or unfinished for seed in cell.seeds}
    expected = control(cell, columns)
    about = {
        "dataset": cell.dataset,
        "variant": cell.variant,
        "seeds": list(cell.seeds),
        "speed": {column.name: _said(cell.speed[column.name]) for column in measured if column.is_time},
        "counts": {column.name: _said(cell.speed[column.name]) for column in measured if not column.is_time},
        "messages": {seed: message for seed, message in messages.items() if message},
    }
    void = "" if expected is None or expected.as_expected else expected.said
    if not finished and expected is not None and expected.as_expected is None:
        void = ""  # it has not ended yet
    more = {"failures": cell.failed_metrics, "void": void}
    return about | {name: what for name, what in more.items() if what}


def _said(value: Any) -> Any:
    """A number as JSON can hold it: an infinity as a text."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(number(value)) for name, value in values.items()}


def _number(value: Any) -> float | bool | None:
    return value if value is None or isinstance(value, bool) else float(value)
