"""A score for a person: a line for each measure, with what the data itself reads beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganbench.plugin.column import Column
from ganbench.plugin.types import MetricValue
from ganbench.report.figures import SIGNS, Signs, belongs, interval
from ganbench.report.grid import BOXES, print_line, safe
from ganbench.report.numbers import common
from ganbench.score.save import Score

#: What is shown with the column whose name it follows: the ends of its interval, its error, what the data reads.
_PARTS = ("low", "high", "se", "floor")
#: Where the output holds no arrows.
_SIDES = {"lower": "low", "higher": "high", "neither": ""}


def show_score(score: Score, path: Path, console: Console) -> None:
    """Print a score, and where it is written.

    What no row has a number for is named below the table; so is what is said in words.
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
    columns = {column.name: column for column in score.columns}
    for name, column in columns.items():
        if belongs(name, columns, _PARTS):
            continue
        if column.summary == "words":
            words += [f"{_title(name)}: {said}"] if (said := score.values[name]) else []
        elif score.values[name] is None and all(row[name] is None for row in score.floor.values()):
            silent.append(name)
        elif column.summary == "none":
            minor.append(name)
        else:
            better = signs.better[column.better].strip() or _SIDES[column.better]
            own, fresh = _cells(score, column, columns, signs)
            method = "lower bound" if score.values.get(f"{name}_method") == "lower bound" else ""
            title = ", ".join(filter(None, (_title(name), method)))
            table.add_row(safe(console, title), better, own, fresh, safe(console, column.unit))
            floor = columns.get(f"{name}_floor")
            if floor is not None and score.values[floor.name] is not None:
                own, fresh = _cells(score, floor, columns, signs)
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
    print_line(console, str(path), "")


def _named(score: Score) -> str:
    parameters = {key: value for key, value in score.target.dataset.plain().items() if key != "name"}
    said = ", ".join(
        f"{key} {value if isinstance(value, str) else json.dumps(value)}" for key, value in parameters.items()
    )
    said = said if len(said) <= 60 else said[:57] + "..."
    return f"{score.target.label} ({said})" if said else score.target.label


def _title(name: str) -> str:
    """A column's name as words, which a narrow screen can break."""
    return " ".join("JSD" if word == "jsd" else word for word in name.split("_"))


def _cells(score: Score, column: Column, columns: Mapping[str, Column], signs: Signs) -> tuple[Text, Text]:
    """The samples' number with its interval or error, and the median and range of fresh data's."""
    name = column.name
    own = {part: _number(score.values.get(f"{name}{part}")) for part in ("", "_low", "_high", "_se")}
    fresh = sorted(number for row in score.floor.values() if (number := _number(row[name])) is not None)
    if isinstance(score.values[name], bool) or column.summary == "share":
        said = {None: signs.none, True: "yes", False: "no"}[score.values[name]]  # type: ignore[index]
        return Text(said), Text(f"{sum(map(bool, fresh))}/{len(fresh)} yes" if fresh else signs.none)
    form = common([number for number in (*own.values(), *fresh) if number is not None])
    total = score.values.get(f"{name.removesuffix('_covered')}_total") if name.endswith("_covered") else None
    out_of = "" if total is None else f"/{total}"
    cell = Text((signs.none if own[""] is None else form(own[""])) + out_of)
    if f"{name}_low" in columns and own[""] is not None:
        cell.append(interval(own["_low"], own["_high"], form, signs), style="dim")
    elif own["_se"] is not None:
        cell.append(f"{signs.plus_minus}{form(own['_se'])}", style="dim")
    if not fresh:
        return cell, Text(signs.none)
    middle = (fresh[(len(fresh) - 1) // 2] + fresh[len(fresh) // 2]) / 2
    if fresh[0] == fresh[-1]:
        return cell, Text(form(middle) + out_of)
    return cell, Text(f"{form(middle)}{out_of} [{form(fresh[0])}, {form(fresh[-1])}]")


def _number(value: MetricValue) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)
