"""The columns of a table as a person reads them: titles, numbers with their intervals, verdicts in few words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from rich.cells import cell_len

from ganbench.plugin.column import Column, find, interval_of
from ganbench.report.numbers import Format, common, thousands

_NOT_APPLICABLE = "n/a"
#: The places of columns after the primary one.
_VERDICTS, _COVERED, _SHARE, _SPEED, _STEPS, _REST = range(1, 7)
Cell = tuple[str, str]


@dataclass(frozen=True)
class Signs:
    """The few signs beyond ASCII, or what replaces them where the output cannot hold them."""

    none: str
    between: str
    plus_minus: str
    better: dict[str, str]


SIGNS = {
    True: Signs("-", ", ", " +- ", {"lower": "", "higher": "", "neither": ""}),
    False: Signs("–", " · ", " ± ", {"lower": " ↓", "higher": " ↑", "neither": ""}),
}


@dataclass(frozen=True)
class Figures:
    """One column on the screen: its title, the line under it, and for each row a text and a dimmed text after it.

    ``words``: whether it is of words, aligned left. ``shorter``: the same column for less room.
    """

    name: str
    title: str
    under: str
    cells: tuple[Cell, ...]
    words: bool = False
    shorter: Figures | None = None

    @property
    def width(self) -> int:
        """The width of its widest line, in characters of a terminal."""
        return max(map(cell_len, (self.title, self.under, *(number + interval for number, interval in self.cells))))


def figures(frame: pd.DataFrame, columns: Sequence[Column], signs: Signs) -> list[Figures]:
    """All columns with a text in some row, in order of importance; those of words are not among them.

    First comes what a reader looks for first: the primary column, what happened, the modes, what is true or false and
    the speed. Where room is short, the last are left out first.

    Args:
        frame: The table of ``record.tables.table``.
        columns: The record's columns.
        signs: The output's signs.

    Returns:
        The columns on the screen.
    """
    missing = [_NOT_APPLICABLE if done else signs.none for done in frame["done"]]
    found = [(_VERDICTS, _verdicts(frame, signs))]
    first = find(columns, "primary")
    for column in columns:
        name = column.name
        head, under = title(column, signs)
        match column.summary:
            case "median":
                place = 0 if column == first else _COVERED if column.role == "covered" else _REST
                total = find(columns, "total", name)
                cells = estimates(frame, name, missing, signs, total=total.name if total else "")
                found.append((place, Figures(name, head, under, cells)))
            case "share":
                found.append((_SHARE, Figures(name, head, "of seeds", _shares(frame, name, missing, signs))))
                # A step without a median is not one that does not apply: too few seeds reached it.
                known = zip(_values(frame, f"{name}_share"), missing, strict=True)
                never = [sign if share is None else signs.none for share, sign in known]
                label = name.replace("_", " ")
                for step, what in ((column.held, f"to hold {label}"), (column.first, f"to {label}")):
                    cells = estimates(frame, step, never, signs, form="{:.0f}".format)
                    found.append((_STEPS, Figures(step, what + signs.better["lower"], "steps", cells)))
            case "same" if column.role not in ("low", "high", "total"):
                form = thousands if column.is_time else None
                low, high = interval_of(columns, name)
                ends = (low.name if low else "", high.name if high else "")
                cells = estimates(frame, name, missing, signs, ends=ends, form=form)
                # Of a speed the ends are the slowest and fastest moment, not an interval: left out first.
                brief = Figures(name, head, under, tuple((number, "") for number, _ in cells))
                shorter = brief if column.is_time else None
                found.append((_SPEED if column.is_time else _REST, Figures(name, head, under, cells, shorter=shorter)))
    empty = ("", signs.none, _NOT_APPLICABLE)
    some = [(place, one) for place, one in found if any(number not in empty for number, _ in one.cells)]
    return [one for _, one in sorted(some, key=lambda pair: pair[0])]


def title(column: Column, signs: Signs) -> tuple[str, str]:
    """The heading of a column, and the line under it."""
    _, second, under = column.title.partition("\n")
    return column.label + ("" if column.is_time else signs.better[column.better]), under if second else column.unit


def estimates(
    frame: pd.DataFrame,
    name: str,
    missing: Sequence[str],
    signs: Signs,
    *,
    ends: tuple[str, str] | None = None,
    total: str = "",
    form: Format | None = None,
) -> tuple[Cell, ...]:
    """The numbers of a column of a table, each with its interval.

    Args:
        frame: The table.
        name: The column's name.
        missing: The text of each row where it has no number.
        signs: The output's signs.
        ends: The columns of the interval's ends; by default <name>_low and <name>_high, those of a median.
        total: The column of the number that it is out of; none if empty.
        form: How numbers are written; by default one format for the whole column.

    Returns:
        A cell for each row: the number, and its interval.
    """
    ends = (f"{name}_low", f"{name}_high") if ends is None else ends
    numbers, lows, highs = (_values(frame, key) for key in (name, *ends))
    form = form or common([number for number in (*numbers, *lows, *highs) if number is not None])
    cells = []
    for value, low, high, out_of, without in zip(numbers, lows, highs, _values(frame, total), missing, strict=True):
        if value is None:
            sign = signs.none if low is not None or high is not None else without
            cells.append((sign, interval(low, high, form, signs) if sign != without else ""))
            continue
        number = form(value) + ("" if out_of is None else f"/{out_of:.0f}")
        cells.append((number, interval(low, high, form, signs) if ends[0] in frame else ""))
    return tuple(cells)


def distinct_texts(texts: Iterable[object]) -> list[str]:
    """The distinct texts of a column of words, without their counts of seeds, in order of appearance."""
    rows = [re.split(r"(?:^|; )\d+ x ", text)[1:] for text in texts if isinstance(text, str)]
    return list(dict.fromkeys(word for row in rows for word in row))


def _verdicts(frame: pd.DataFrame, signs: Signs) -> Figures:
    """What happened to the seeds; where room is short only the commonest, and the number of the others."""
    texts = [text.split(", ") if isinstance(text, str) else [] for text in frame["verdicts"]]
    whole = tuple((signs.between.join(parts), "") for parts in texts)
    others = [sum(int(part.split()[0]) for part in parts[1:]) for parts in texts]
    short = tuple(
        (parts[0] if parts else "", f" +{other}" if other else "") for parts, other in zip(texts, others, strict=True)
    )
    shorter = Figures("verdicts", "what happened", "seeds", short, words=True)
    return Figures("verdicts", "what happened", "seeds", whole, words=True, shorter=shorter)


def _shares(frame: pd.DataFrame, name: str, missing: Sequence[str], signs: Signs) -> tuple[Cell, ...]:
    cells = []
    shares = zip(*(_values(frame, f"{name}_{end}") for end in ("share", "low", "high")), strict=True)
    seeds = frame["done"] + frame["diverged"]
    for (share, low, high), measured, without in zip(shares, seeds, missing, strict=True):
        if share is None:
            cells.append((without, ""))
            continue
        count = share * int(measured)
        # Seeds without a value are not in the share; then the count is not known here.
        exact = math.isclose(count, round(count), abs_tol=1e-9)
        number = f"{round(count)}/{measured}" if exact else f"{share:.0%}"
        cells.append((number, interval(low, high, percent, signs) + "%"))
    return tuple(cells)


def percent(share: float) -> str:
    """A share in whole percent, without the sign."""
    return f"{100 * share:.0f}"


def interval(low: float | None, high: float | None, form: Format, signs: Signs) -> str:
    """The text of an interval after its number.

    Args:
        low: The lower end; None where there is none.
        high: The upper end; None where there is none.
        form: How numbers are written.
        signs: The output's signs; a dash stands for a missing end, and one dash for both.

    Returns:
        The text, with a space before it.
    """
    if low is None and high is None:
        return f" [{signs.none}]"
    return " [{}, {}]".format(*(signs.none if end is None else form(end) for end in (low, high)))


def _values(frame: pd.DataFrame, name: str) -> list[float | None]:
    if name not in frame:
        return [None] * len(frame)
    return [None if pd.isna(value) else float(value) for value in frame[name].astype(object)]
