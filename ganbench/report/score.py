"""A score for a person: a line for each measure, with the value of the data itself beside it."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganbench.plugin.column import Column, find
from ganbench.plugin.role import LOWER_BOUND, Role
from ganbench.plugin.types import MetricValue
from ganbench.report.figures import SIGNS, Signs, interval
from ganbench.report.grid import BOXES, print_line, safe
from ganbench.report.numbers import common
from ganbench.score.save import Score

#: The roles that are shown with their column: the ends of its interval, its error, the data's value, the total.
_PARTS = ("low", "high", "error", "floor", "total")
_ENDS: tuple[Role, ...] = ("low", "high", "error")
#: Where the output holds no arrows.
_SIDES = {"lower": "low", "higher": "high", "neither": ""}


def show_score(score: Score, path: Path | None, console: Console) -> None:
    """Print a score, and where it is written, if it is.

    Columns without a number in any row are named below the table; columns of words are printed there.

    Args:
        score: The score.
        path: The file that it is written to; None where it could not be written.
        console: Where to print.
    """
    plain = console.options.ascii_only
    signs = SIGNS[plain]
    table = Table(box=BOXES[plain], show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    table.add_column("")
    table.add_column("better", justify="center", style="dim")
    table.add_column("samples", justify="right", no_wrap=True)
    table.add_column("fresh data", justify="right", no_wrap=True, style="dim")
    table.add_column("unit", style="dim")
    silent, words, minor = [], [], []
    for column in score.columns:
        name = column.name
        if column.role in _PARTS:
            continue
        if column.summary == "words":
            words += [f"{column.label}: {text}"] if (text := score.values[name]) else []
        elif score.values[name] is None and all(row[name] is None for row in score.floor.values()):
            silent.append(name)
        elif column.summary == "none":
            minor.append(name)
        else:
            better = signs.better[column.better].strip() or _SIDES[column.better]
            own, fresh = _cells(score, column, signs)
            title = column.label
            if _part(score, name, "method") == LOWER_BOUND:
                title += f", {LOWER_BOUND}"
            table.add_row(safe(console, title), better, own, fresh, safe(console, column.unit))
            floor = find(score.columns, "floor", name)
            if floor is not None and score.values[floor.name] is not None:
                own, fresh = _cells(score, floor, signs)
                table.add_row("  its floor", "", own, fresh, safe(console, floor.unit))
    n = len(score.samples.values)
    size = f"{n} samples" if n > 1 else "1 sample"
    console.print(Text(safe(console, f"{_named(score)}: {size}, held-out data of seed {score.seed}"), style="bold"))
    print_line(console, str(score.samples.path), "")
    console.print()
    if table.row_count:
        console.print(table)
        console.print()
    lines = [(line, "none") for line in words]
    lines += [(line, "red") for line in score.failures]
    lines += [(line, "yellow") for line in score.notes]
    if silent:
        lines.append((f"Not for such data or so few samples: {', '.join(silent)}", "dim"))
    if minor:
        lines.append((f"Only in the file: {', '.join(minor)}", "dim"))
    if score.floor:
        lines.append((f"Fresh data: median [lowest, highest] of {len(score.floor)} seeds, as many samples.", "dim"))
    for line, style in lines:
        print_line(console, line, style)
    if path is not None:
        print_line(console, str(path), "")


def _named(score: Score) -> str:
    parameters = {key: value for key, value in score.target.dataset.plain().items() if key != "name"}
    listed = ", ".join(
        f"{key} {value if isinstance(value, str) else json.dumps(value)}" for key, value in parameters.items()
    )
    listed = listed if len(listed) <= 60 else listed[:57] + "..."
    return f"{score.target.label} ({listed})" if listed else score.target.label


def _part(score: Score, name: str, role: Role) -> MetricValue:
    """The samples' value of a part of a column."""
    column = find(score.columns, role, name)
    return None if column is None else score.values[column.name]


def _cells(score: Score, column: Column, signs: Signs) -> tuple[Text, Text]:
    """The samples' number with its interval or error, and the median and range of the fresh data's."""
    name = column.name
    value = _number(score.values[name])
    low, high, error = (_number(_part(score, name, role)) for role in _ENDS)
    fresh = sorted(number for row in score.floor.values() if (number := _number(row[name])) is not None)
    if isinstance(score.values[name], bool) or column.summary == "share":
        own = {None: signs.none, True: "yes", False: "no"}[score.values[name]]  # type: ignore[index]
        return Text(own), Text(f"{sum(map(bool, fresh))}/{len(fresh)} yes" if fresh else signs.none)
    form = common([number for number in (value, low, high, error, *fresh) if number is not None])
    total = _part(score, name, "total")
    out_of = "" if total is None else f"/{total}"
    cell = Text((signs.none if value is None else form(value)) + out_of)
    if find(score.columns, "low", name) and value is not None:
        cell.append(interval(low, high, form, signs), style="dim")
    elif error is not None:
        cell.append(f"{signs.plus_minus}{form(error)}", style="dim")
    if not fresh:
        return cell, Text(signs.none)
    middle = (fresh[(len(fresh) - 1) // 2] + fresh[len(fresh) // 2]) / 2
    if fresh[0] == fresh[-1]:
        return cell, Text(form(middle) + out_of)
    return cell, Text(f"{form(middle)}{out_of} [{form(fresh[0])}, {form(fresh[-1])}]")


def _number(value: MetricValue) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)
