"""The table of a run for a person: a line for each variant, grouped by dataset, and notes under it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from ganbench.plugin.column import Column
from ganbench.record.control import Control
from ganbench.record.tables.values import sided
from ganbench.report.figures import SIGNS, Figures, distinct_texts, figures, title
from ganbench.report.grid import print_line, show_grid
from ganbench.stats.intervals import FEWEST

_NAMED = 8


def show(
    frame: pd.DataFrame,
    console: Console,
    columns: Sequence[Column],
    path: Path | None = None,
    failures: Mapping[str, Sequence[str]] | None = None,
    controls: Sequence[Control] = (),
    about: Sequence[str] = (),
) -> None:
    """Print the table of a run, with notes on its numbers, and where its file is.

    Columns that do not fit the width are left out, the least important first, and named below; references, which were
    not trained, are dimmed.

    Args:
        frame: The table of ``record.tables.table``.
        console: Where to print.
        columns: The record's columns.
        path: The table's file; not printed where it is None.
        failures: A line for each metric that failed, with the cells that it failed on.
        controls: The rows of which the suite expects something; where one did not end so, the run is void.
        about: Lines on the run as a whole, see ``Record.about``.
    """
    signs = SIGNS[console.options.ascii_only]
    found = figures(frame, columns, signs)
    dropped = show_grid(console, frame["dataset"], frame["variant"], found, list(frame["reference"]))
    for line, style in notes(frame, columns, dropped, written=path is not None):
        print_line(console, line, style)
    for line in about:
        print_line(console, line, "yellow")
    for line, cells in (failures or {}).items():
        print_line(console, f"{line}: its numbers are missing: {_listed(cells)}", "red")
    if held := [f"{one.dataset} {one.variant} {one.expect}" for one in controls if one.as_expected]:
        print_line(console, f"As the suite expects: {_listed(held)}", "dim")
    for one in controls:
        if one.void:
            print_line(console, one.void, "red")
    if path is not None:
        print_line(console, str(path), "")


def notes(
    frame: pd.DataFrame, columns: Sequence[Column], dropped: Sequence[Figures], *, written: bool
) -> Iterator[tuple[str, str]]:
    """The notes under the table of a run.

    Args:
        frame: The table of ``record.tables.table``.
        columns: The record's columns.
        dropped: The columns for which there is no room.
        written: Whether the run has finished, so that its tables are files.

    Yields:
        A line, and its style as rich names it.
    """
    counts = sorted(set(frame["seeds"]))
    seeds = " or ".join(map(str, counts)) + (" seeds" if counts != [1] else " seed")
    yield f"{seeds} each. Medians and shares over seeds, with exact 95 % intervals.", "dim"
    if counts and counts[0] < FEWEST:
        yield f"The interval of a median needs {FEWEST} seeds, and so does any difference at the 5 % level.", "dim"
    for column in sided(columns)[:1]:
        if line := _detectable(frame, column, seeds):
            yield line, "dim"
    if others := [column.name for column in columns if column.role == "primary"][1:]:
        first = sided(columns)[0].name
        yield f"Primary is {first}, the first of the metrics that are; not {', '.join(others)}.", "dim"
    for column in columns:
        if column.summary == "words" and column.name in frame:
            yield from ((line, "dim") for line in _words(frame, column))
    rows = frame.to_dict("records")
    if failed := sum(frame["failed"]):
        where = _where(row for row in rows if row["failed"])
        told = " (their status is in seeds.csv)" if written else " so far"
        yield f"{failed} without a result{told}: {where}", "red" if written else "yellow"
    if diverged := sum(frame["diverged"]):
        yield f"{diverged} diverged in training: {_where(row for row in rows if row['diverged'])}", "yellow"
    engines = Counter(row["engine"] for row in rows if row["engine"])
    for engine, _ in engines.most_common()[1:]:
        yield f"Engine {engine}: {_where(row for row in rows if row['engine'] == engine)}", "dim"
    shown = ("median", "share", "same")
    if silent := [c.name for c in columns if c.summary in shown and frame[list(c.fills)].isna().all(axis=None)]:
        yield f"No row has a number: {', '.join(silent)}", "dim"
    if dropped:
        names = list(dict.fromkeys(column.name for column in dropped))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"Only in the file: {', '.join(names[:_NAMED])}{more}", "dim"


def _detectable(frame: pd.DataFrame, column: Column, seeds: str) -> str:
    """The differences that these seeds would miss, on each dataset for the variant that scatters most."""
    worst = frame.groupby("dataset", sort=False)[f"{column.name}_detectable"].max().dropna()
    if worst.empty:
        return ""
    form = "{:.2g}".format
    sizes = [form(size) for size in worst]
    if len(set(sizes)) == 1:
        size = f"{sizes[0]} {column.unit}".rstrip()
    elif len(sizes) <= 3:
        size = ", ".join(f"{size} ({dataset})" for dataset, size in zip(worst.index, sizes, strict=True))
        size = f"{size} {column.unit}".rstrip()
    else:
        size = f"{form(worst.min())} to {form(worst.max())} {column.unit}".rstrip()
    name, _ = title(column, SIGNS[True])
    return f"{name}: with {seeds} a difference of {size} is missed one time in five (paired, 5 % level)."


def _words(frame: pd.DataFrame, column: Column) -> Iterator[str]:
    """A line for each text of a column of words, with the rows that have it unless all do.

    Texts that differ only in their numbers are one, with the first one's numbers.
    """
    known: dict[str, tuple[str, set[tuple[str, str]]]] = {}
    rows = list(zip(frame["dataset"], frame["variant"], strict=True))
    for row, words in zip(rows, frame[column.name], strict=True):
        for text in distinct_texts([words]):
            known.setdefault(re.sub(r"\d+(\.\d+)?", "#", text), (text, set()))[1].add(row)
    for text, having in known.values():
        where: dict[str, None] = {}
        for dataset, variant in rows:
            if all(row in having for row in rows if row[0] == dataset):
                where[dataset] = None
            elif (dataset, variant) in having:
                where[f"{dataset} {variant}"] = None
        at = "" if len(having) == len(rows) else f" ({_listed(list(where))})"
        yield f"{column.label}: {text}{at}"


def _where(rows: Iterable[Mapping[Hashable, Any]]) -> str:
    return _listed([f"{row['dataset']} {row['variant']}" for row in rows])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
