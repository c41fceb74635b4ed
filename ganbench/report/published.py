"""What a paper published beside what was measured, for a person: a line for each number, with one word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from rich.console import Console

from ganbench.plugin.column import Column
from ganbench.report.figures import SIGNS, Figures, Signs, estimates
from ganbench.report.grid import print_line, show_grid
from ganbench.report.numbers import Format, common

#: How the lines are to be read.
LEGEND = (
    "Means over seeds, and shares of them, with 95 % intervals; a paper's by its spread and its trials. differs: the "
    "interval of the difference, made from both, does not come as near to 0 as the paper's number was rounded."
)


def show_published(frame: pd.DataFrame, console: Console, columns: Sequence[Column], source: str) -> None:
    """Print what a paper published beside what was measured; nothing where there is nothing.

    Args:
        frame: The table of ``record.tables.published.published``.
        console: Where to print.
        columns: The record's columns.
        source: The paper.
    """
    if frame.empty:
        return
    signs = SIGNS[console.options.ascii_only]
    print_line(console, "", "")
    print_line(console, f"Beside what is published: {source}", "bold")
    names = line_names(frame, columns)
    show_grid(console, frame["dataset"], names, published_figures(frame, signs), [False] * len(frame))
    for line in notes(frame, names):
        print_line(console, line, "dim")


def line_names(frame: pd.DataFrame, columns: Sequence[Column]) -> list[str]:
    """What each line is called: the row, and the number as the paper calls it, or else as we do."""
    labels = {column.name: column.label for column in columns}
    called = frame["called"].astype(object)
    own = [
        name if pd.isna(theirs) else theirs for name, theirs in zip(frame["column"].map(labels), called, strict=True)
    ]
    return [f"{variant}: {what}" for variant, what in zip(frame["variant"], own, strict=True)]


def published_figures(frame: pd.DataFrame, signs: Signs) -> list[Figures]:
    """The columns: the word, ours and the paper's with their intervals, of how many seeds and trials, the difference.

    Each line has its own format, since each may be of another quantity.
    """
    parts = [frame.iloc[[at]] for at in range(len(frame))]

    def numbers(name: str, ends: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple(estimates(one, name, [signs.none], signs, ends=ends, form=_form(one))[0] for one in parts)

    counts = [tuple(signs.none if pd.isna(n) else str(n) for n in frame[name]) for name in ("seeds", "trials")]
    both = tuple((f"{ours} / {theirs}", "") for ours, theirs in zip(*counts, strict=True))
    return [
        Figures("word", "so it", "", tuple((word, "") for word in frame["word"]), words=True),
        Figures("ours", "ours", "mean or share", numbers("ours", ("ours_low", "ours_high"))),
        Figures("published", "published", "", numbers("published", ("published_low", "published_high"))),
        Figures("trials", "seeds / trials", "", both),
        Figures("difference", "difference", "ours - published", numbers("difference", ("low", "high"))),
    ]


def notes(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The notes below: how to read the lines, and why some are not comparable."""
    yield LEGEND
    whys: dict[str, list[str]] = {}
    for why, dataset, name in zip(frame["why"].astype(object), frame["dataset"], names, strict=True):
        if not pd.isna(why):
            whys.setdefault(why, []).append(f"{dataset} {name}")
    for why, having in whys.items():
        more = f" and {len(having) - 6} more" if len(having) > 6 else ""
        yield f"Not comparable, {why}: {', '.join(having[:6])}{more}"


def _form(one: pd.DataFrame) -> Format:
    return common(float(value) for name in ("ours", "published", "difference") for value in one[name].dropna())
