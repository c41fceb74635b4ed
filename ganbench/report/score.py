"""A score for a person: a line for each measure, with what the data itself reads beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganbench.kinds import Column, Said
from ganbench.report.numbers import Format, common
from ganbench.score import Score

_RULE = "    \n    \n -  \n    \n    \n    \n    \n    \n"
_PARTS = ("_low", "_high", "_se", "_total")


@dataclass(frozen=True)
class _Signs:
    """The few signs beyond ASCII, where the output can hold them."""

    none: str
    better: Mapping[str, str]
    plus_minus: str
    box: Box


_SIGNS = {
    True: _Signs("-", {"lower": "low", "higher": "high", "neither": ""}, " +- ", Box(_RULE, ascii=True)),
    False: _Signs("–", {"lower": "↓", "higher": "↑", "neither": ""}, " ± ", Box(_RULE.replace("-", "─"))),
}


def show_score(score: Score, path: Path, console: Console) -> None:
    """Print a score, and where it is written.

    What no row has a number for is named below the table; so is what is said in words.
    """
    signs = _SIGNS[console.options.ascii_only]
    table = Table(box=signs.box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    table.add_column("")
    table.add_column("better", justify="center", style="dim")
    table.add_column("samples", justify="right", no_wrap=True)
    table.add_column("fresh data", justify="right", no_wrap=True, style="dim")
    table.add_column("unit", style="dim")
    silent, words, minor = [], [], []
    columns = {column.name: column for column in score.columns}
    for name, column in columns.items():
        if _part_of(name, columns):
            continue
        if column.summary == "words":
            words += [f"{_title(name)}: {said}"] if (said := score.values[name]) else []
        elif score.values[name] is None and all(row[name] is None for row in score.floor.values()):
            silent.append(name)
        elif column.summary == "none":
            minor.append(name)
        else:
            better = signs.better[column.better]
            own, fresh = _cells(score, column, columns, signs)
            table.add_row(_safe(console, _title(name)), better, own, fresh, _safe(console, column.unit))
    n = len(score.samples.values)
    size = f"{n} samples" if n > 1 else "1 sample"
    console.print(Text(_safe(console, f"{_named(score)}: {size}, held-out data of seed {score.seed}"), style="bold"))
    console.print(Text(_safe(console, score.samples.path)), soft_wrap=True)
    console.print()
    if table.row_count:
        console.print(table)
        console.print()
    lines = [(line, "") for line in words]
    lines += [(line, "red") for line in score.failures]
    lines += [(line, "yellow") for line in score.notes]
    if silent:
        lines.append((f"Not for such data or so few samples: {', '.join(silent)}", "dim"))
    if minor:
        lines.append((f"Only in the file: {', '.join(minor)}", "dim"))
    if score.floor:
        lines.append((f"Fresh data: median [lowest, highest] of {len(score.floor)} seeds, as many samples.", "dim"))
    for line, style in lines:
        console.print(Text(_safe(console, line), style=style), soft_wrap=not console.is_terminal)
    # A path is never broken, so that it can be copied.
    console.print(Text(_safe(console, path)), soft_wrap=True)


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


def _part_of(name: str, columns: Mapping[str, Column]) -> bool:
    """Whether a column is shown beside another: an end of its interval, its error, or the total it is out of."""
    stem = next((name.removesuffix(part) for part in _PARTS if name.endswith(part)), "")
    return stem in columns or (name.endswith("_total") and f"{stem}_covered" in columns)


def _cells(score: Score, column: Column, columns: Mapping[str, Column], signs: _Signs) -> tuple[Text, Text]:
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
    cell = Text(_text(own[""], form, signs) + out_of)
    if own["_low"] is not None and own["_high"] is not None:
        cell.append(f" [{form(own['_low'])}, {form(own['_high'])}]", style="dim")
    elif f"{name}_low" in columns and own[""] is not None:
        cell.append(f" [{signs.none}]", style="dim")
    elif own["_se"] is not None:
        cell.append(f"{signs.plus_minus}{form(own['_se'])}", style="dim")
    if not fresh:
        return cell, Text(signs.none)
    middle = (fresh[(len(fresh) - 1) // 2] + fresh[len(fresh) // 2]) / 2
    if fresh[0] == fresh[-1]:
        return cell, Text(form(middle) + out_of)
    return cell, Text(f"{form(middle)}{out_of} [{form(fresh[0])}, {form(fresh[-1])}]")


def _number(value: Said) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _text(value: float | None, form: Format, signs: _Signs) -> str:
    return signs.none if value is None else form(value)


def _safe(console: Console, text: object) -> str:
    """The text with a question mark for each sign that the output cannot hold."""
    return str(text).encode(console.encoding, "replace").decode(console.encoding)
