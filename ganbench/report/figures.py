"""The columns of a table as a person reads them: titles, numbers with their intervals, verdicts in few words."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from rich.cells import cell_len

from ganbench.plugin.column import Column
from ganbench.record.tables.tables import is_time
from ganbench.report.numbers import Format, common, thousands

#: What a reader looks for first: the order of the columns, and which of them go last where room is short.
_ORDER = (
    "jsd",
    "verdicts",
    "modes_covered",
    "all_modes",
    "model_steps_per_second",
    "model_steps_per_second_one",
    "high_quality",
    "held_all_modes_step",
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
_NOT_APPLICABLE = "n/a"
Cell = tuple[str, str]


@dataclass(frozen=True)
class Signs:
    """The few signs beyond ASCII, where the output can hold them."""

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
    """One column on the screen: its title, the line under it, and for each row a text and what is dimmed after it."""

    name: str
    title: str
    under: str
    cells: tuple[Cell, ...]
    words: bool = False
    shorter: Figures | None = None

    @property
    def width(self) -> int:
        """How many places the widest of its lines takes."""
        return max(map(cell_len, (self.title, self.under, *(number + interval for number, interval in self.cells))))


def figures(frame: pd.DataFrame, columns: Sequence[Column], signs: Signs) -> list[Figures]:
    """All columns of ``record.tables.table`` that say something, in order of importance; not those of words."""
    missing = [_NOT_APPLICABLE if done else signs.none for done in frame["done"]]
    found = [_verdicts(frame, signs)]
    present = {column.name for column in columns}
    for column in columns:
        name = column.name
        head, under = title(column, signs)
        match column.summary:
            case "median":
                total = name.removesuffix("_covered") + "_total" if name.endswith("_covered") else ""
                cells = estimates(frame, name, missing, signs, total=total if total in present else "")
                found.append(Figures(name, head, under, cells))
            case "share":
                found.append(Figures(name, head, "of seeds", _shares(frame, name, missing, signs)))
                # A step without a median is none that does not apply: too few seeds got there.
                known = zip(_values(frame, f"{name}_share"), missing, strict=True)
                never = [sign if share is None else signs.none for share, sign in known]
                spoken = name.replace("_", " ")
                for step, what in ((column.held, f"to hold {spoken}"), (column.first, f"to {spoken}")):
                    cells = estimates(frame, step, never, signs, form="{:.0f}".format)
                    found.append(Figures(step, what + signs.better["lower"], "steps", cells))
            case "same" if not belongs(name, present):
                form = thousands if is_time(column) else None
                cells = estimates(frame, name, missing, signs, form=form)
                # Of a speed the ends are the slowest and fastest moment, not an interval: the first thing to go.
                brief = Figures(name, head, under, tuple((number, "") for number, _ in cells))
                found.append(Figures(name, head, under, cells, shorter=brief if is_time(column) else None))
    order = {name: place for place, name in enumerate(_ORDER)}
    some = [one for one in found if any(number not in ("", signs.none, _NOT_APPLICABLE) for number, _ in one.cells)]
    return sorted(some, key=lambda one: order.get(one.name, len(order)))


def title(column: Column, signs: Signs) -> tuple[str, str]:
    """What stands above a column, and under that."""
    head, under = _TITLES.get(column.name, (column.name.replace("_", " "), column.unit))
    return head + ("" if is_time(column) else signs.better[column.better]), under


def estimates(
    frame: pd.DataFrame,
    name: str,
    missing: Sequence[str],
    signs: Signs,
    *,
    ends: str | None = None,
    total: str = "",
    form: Format | None = None,
) -> tuple[Cell, ...]:
    """The numbers of a column, with the interval between ``<ends>low`` and ``<ends>high`` where there is one.

    ``ends``: the column's own name and ``_`` unless given. ``missing``: what stands in a row without a number.
    ``total``: the column of what the number is out of.
    """
    ends = f"{name}_" if ends is None else ends
    numbers, lows, highs = (_values(frame, key) for key in (name, f"{ends}low", f"{ends}high"))
    form = form or common([number for number in (*numbers, *lows, *highs) if number is not None])
    cells = []
    for value, low, high, out_of, without in zip(numbers, lows, highs, _values(frame, total), missing, strict=True):
        if value is None:
            beyond = signs.none if low is not None or high is not None else without
            cells.append((beyond, interval(low, high, form, signs) if beyond != without else ""))
            continue
        number = form(value) + ("" if out_of is None else f"/{out_of:.0f}")
        cells.append((number, interval(low, high, form, signs) if f"{ends}low" in frame else ""))
    return tuple(cells)


def spoken(texts: Iterable[object]) -> list[str]:
    """The distinct texts of a column of words, without how many seeds say each; in order of appearance."""
    rows = [re.split(r"(?:^|; )\d+ x ", text)[1:] for text in texts if isinstance(text, str)]
    return list(dict.fromkeys(word for row in rows for word in row))


def belongs(name: str, present: Container[str], parts: Sequence[str] = ("low", "high")) -> bool:
    """Whether a column is shown as part of another, by ``parts`` an end of its interval, or the total it is out of."""
    stem, _, part = name.rpartition("_")
    return (part in parts and stem in present) or (part == "total" and f"{stem}_covered" in present)


def _verdicts(frame: pd.DataFrame, signs: Signs) -> Figures:
    """What happened to the seeds; where room is short only the commonest, and how many others there are."""
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
        # Seeds whose metric said nothing are not in the share; then the count is not known here.
        exact = math.isclose(count, round(count), abs_tol=1e-9)
        number = f"{round(count)}/{measured}" if exact else f"{share:.0%}"
        cells.append((number, interval(low, high, percent, signs) + "%"))
    return tuple(cells)


def percent(share: float) -> str:
    """A share in whole percent, without the sign."""
    return f"{100 * share:.0f}"


def interval(low: float | None, high: float | None, form: Format, signs: Signs) -> str:
    """What stands after a number: its interval, with a dash for an end that there is not, or for both."""
    if low is None and high is None:
        return f" [{signs.none}]"
    return " [{}, {}]".format(*(signs.none if end is None else form(end) for end in (low, high)))


def _values(frame: pd.DataFrame, name: str) -> list[float | None]:
    if name not in frame:
        return [None] * len(frame)
    return [None if pd.isna(value) else float(value) for value in frame[name].astype(object)]
