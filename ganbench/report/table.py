"""The table of a run for a person: a line for each variant, grouped by dataset, as wide as there is room."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import Box
from rich.cells import cell_len
from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from ganbench.kinds import Column
from ganbench.record.tables import is_time
from ganbench.report.numbers import Format, common, thousands

#: What a reader looks for first: the order of the columns, and which of them go last where room is short.
_ORDER = (
    "jsd",
    "modes_covered",
    "all_modes",
    "model_steps_per_second",
    "model_steps_per_second_one",
    "high_quality",
    "first_all_modes_step",
    "reverse_kl",
)
_TITLES = {
    "jsd": ("JSD", "nats"),
    "modes_covered": ("modes", ""),
    "reverse_kl": ("reverse KL", "nats"),
    "model_steps_per_second": ("steps/s", "all seeds"),
    "model_steps_per_second_one": ("steps/s", "1 model"),
}
_PIPE_WIDTH = 120
_GAP = 2
_RULE = "    \n    \n -  \n    \n    \n    \n    \n    \n"
_BOXES = {True: Box(_RULE, ascii=True), False: Box(_RULE.replace("-", "─"))}


@dataclass(frozen=True)
class _Signs:
    """The few signs beyond ASCII, where the output can hold them."""

    none: str
    better: dict[str, str]


_SIGNS = {
    True: _Signs("-", {"lower": "", "higher": "", "neither": ""}),
    False: _Signs("–", {"lower": " ↓", "higher": " ↑", "neither": ""}),
}


@dataclass(frozen=True)
class _Shown:
    """One column on the screen: its title, the line under it, and a number with its interval for each row."""

    name: str
    title: str
    under: str
    cells: tuple[tuple[str, str], ...]

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.title, self.under, *(number + interval for number, interval in self.cells))))


def show(frame: pd.DataFrame, console: Console, columns: Sequence[Column], path: Path | None = None) -> None:
    """Print the table of a run (``record.tables.table``) with what its numbers are, and where its file is.

    ``columns``: the record's. Columns that do not fit the width are left out, the least important first, and named
    below. A terminal's own width counts; what is piped is plain text at least 120 wide.
    """
    width = console.width if console.is_terminal else max(console.width, _PIPE_WIDTH)
    plain = console.options.ascii_only
    shown = _shown(frame, columns, _SIGNS[plain])
    names = [_safe(console, f" {variant}") for variant in frame["variant"]]
    groups = [_safe(console, dataset) for dataset in frame["dataset"]]
    longest = max(map(cell_len, (*names, *groups)), default=0)
    if not console.is_terminal and shown:
        width = max(width, longest + _GAP + shown[0].width)
    room = width - longest
    fitting: list[_Shown] = []
    for column in shown:
        if not fitting or column.width + _GAP <= room:
            fitting.append(column)
            room -= column.width + _GAP

    overflow: OverflowMethod = "crop" if plain else "ellipsis"
    table = Table(box=_BOXES[plain], show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="")
    table.add_column(Text(""), no_wrap=True, overflow=overflow, min_width=max(1, longest + min(room, 0)))
    for column in fitting:
        title = Text(_safe(console, column.title)).append(f"\n{_safe(console, column.under)}", style="dim")
        table.add_column(title, justify="right", no_wrap=True, overflow=overflow, min_width=min(column.width, width))
    for index, (name, group) in enumerate(zip(names, groups, strict=True)):
        if index == 0 or group != groups[index - 1]:
            if index:
                table.add_row()
            table.add_row(Text(group, style="bold"))
        cells = [Text(number).append(interval, style="dim") for number, interval in (c.cells[index] for c in fitting)]
        table.add_row(Text(name), *cells, style="dim" if frame["variant"][index] == "oracle" else "")

    console.print(table, crop=False)
    console.print()
    for line, style in _footer(frame, [c for c in shown if c not in fitting], path):
        # A path is never broken, so that it can be copied; nor is anything that is piped.
        console.print(Text(_safe(console, line), style=style), soft_wrap=style == "" or not console.is_terminal)


def _shown(frame: pd.DataFrame, columns: Sequence[Column], signs: _Signs) -> list[_Shown]:
    """The columns in order of importance, all of them."""
    found: dict[str, _Shown] = {}
    present = {column.name for column in columns}
    for column in columns:
        name = column.name
        title, under = _TITLES.get(name, (name.replace("_", " "), column.unit))
        if not is_time(column):
            title += signs.better[column.better]
        match column.summary:
            case "median":
                total = name.removesuffix("_covered") + "_total" if name.endswith("_covered") else ""
                cells = _estimates(frame, name, name, signs, total=total if total in present else "")
                found[name] = _Shown(name, title, under, cells)
            case "share":
                found[name] = _Shown(name, title, "of seeds", _shares(frame, name, signs))
                step = column.first
                steps = [(_text(value, "{:.0f}".format, signs), "") for value in _values(frame, step)]
                found[step] = _Shown(step, f"to {name.replace('_', ' ')}{signs.better['lower']}", "steps", tuple(steps))
            case "same" if not _belongs(name, present):
                form = thousands if is_time(column) else None
                found[name] = _Shown(name, title, under, _estimates(frame, name, name, signs, form=form))
    order = {name: place for place, name in enumerate(_ORDER)}
    some = [column for column in found.values() if any(number != signs.none for number, _ in column.cells)]
    return sorted(some, key=lambda column: order.get(column.name, len(order)))


def _belongs(name: str, present: set[str]) -> bool:
    """Whether a column is shown as part of another: the end of its interval, or the total it is out of."""
    stem, _, end = name.rpartition("_")
    return (end in ("low", "high") and stem in present) or (end == "total" and f"{stem}_covered" in present)


def _estimates(
    frame: pd.DataFrame, name: str, stem: str, signs: _Signs, *, total: str = "", form: Format | None = None
) -> tuple[tuple[str, str], ...]:
    values, lows, highs = (_values(frame, key) for key in (name, f"{stem}_low", f"{stem}_high"))
    form = form or common([value for value in (*values, *lows, *highs) if value is not None])
    totals = _values(frame, total)
    interval = f"{stem}_low" in frame
    cells = []
    for value, low, high, out_of in zip(values, lows, highs, totals, strict=True):
        number = _text(value, form, signs)
        if value is not None and out_of is not None:
            number += f"/{out_of:.0f}"
        cells.append((number, _interval(low, high, form, signs) if interval and value is not None else ""))
    return tuple(cells)


def _shares(frame: pd.DataFrame, name: str, signs: _Signs) -> tuple[tuple[str, str], ...]:
    cells = []
    shares = zip(*(_values(frame, f"{name}_{end}") for end in ("share", "low", "high")), strict=True)
    for (share, low, high), measured in zip(shares, frame["done"] + frame["diverged"], strict=True):
        if share is None:
            cells.append((signs.none, ""))
            continue
        count = share * int(measured)
        # Seeds whose metric said nothing are not in the share; then the count is not known here.
        exact = math.isclose(count, round(count), abs_tol=1e-9)
        number = f"{round(count)}/{measured}" if exact else f"{share:.0%}"
        cells.append((number, _interval(low, high, _percent, signs) + "%"))
    return tuple(cells)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _interval(low: float | None, high: float | None, form: Format, signs: _Signs) -> str:
    if low is None and high is None:
        return f" [{signs.none}]"
    return f" [{_text(low, form, signs)}, {_text(high, form, signs)}]"


def _text(value: float | None, form: Format, signs: _Signs) -> str:
    return signs.none if value is None else form(value)


def _values(frame: pd.DataFrame, name: str) -> list[float | None]:
    if name not in frame:
        return [None] * len(frame)
    return [None if pd.isna(value) else float(value) for value in frame[name].astype(object)]


def _footer(frame: pd.DataFrame, dropped: Sequence[_Shown], path: Path | None) -> list[tuple[str, str]]:
    lines = []
    counts = sorted(set(frame["seeds"]))
    seeds = " or ".join(map(str, counts)) + (" seeds" if counts != [1] else " seed")
    lines.append((f"{seeds} each. Medians and shares over seeds, with exact 95 % intervals.", "dim"))
    if counts and counts[0] < 6:
        lines.append(("The interval of a median needs 6 seeds.", "dim"))
    rows = frame.to_dict("records")
    if failed := sum(frame["failed"]):
        where = _where(row for row in rows if row["failed"])
        lines.append((f"{failed} without a result (their status is in seeds.csv): {where}", "red"))
    if diverged := sum(frame["diverged"]):
        lines.append((f"{diverged} diverged: {_where(row for row in rows if row['diverged'])}", "yellow"))
    engines = Counter(row["engine"] for row in rows if row["engine"])
    for engine, _ in engines.most_common()[1:]:
        lines.append((f"Engine {engine}: {_where(row for row in rows if row['engine'] == engine)}", "dim"))
    if dropped:
        names = ", ".join(dict.fromkeys(column.name for column in dropped))
        lines.append((f"Only in the file: {names}", "dim"))
    if path is not None:
        lines.append((str(path), ""))
    return lines


def _where(rows: Iterable[Mapping[Hashable, Any]]) -> str:
    names = [f"{row['dataset']} {row['variant']}" for row in rows]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _safe(console: Console, text: object) -> str:
    """The text with a question mark for each sign that the output cannot hold."""
    return str(text).encode(console.encoding, "replace").decode(console.encoding)
