"""The differences of a run's variants to one of them, for a person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from ganbench.plugin.column import Column
from ganbench.record.tables.values import sided
from ganbench.report.figures import SIGNS, Figures, Signs, estimates, percent, title
from ganbench.report.grid import print_line, show_grid
from ganbench.report.numbers import common

_LEGEND = (
    "Interquartile means of the paired differences, with 95 % bootstrap intervals. better: how probably a seed is "
    "better than one of {}. p: Wilcoxon's signed-rank test, by Holm over all rows of the column. detectable: "
    "the smallest difference that so many pairs show with 80 % power."
)


def show_differences(frame: pd.DataFrame, console: Console, columns: Sequence[Column], variant: str) -> None:
    """Print the differences of a run's variants to one of them: all figures of the first column, one of each other.

    Args:
        frame: The table of ``record.differences.differences``.
        console: Where to print.
        columns: The record's columns.
        variant: The variant that the others are compared with.
    """
    known = dict(list(frame.groupby("column", sort=False)))
    if not known:
        print_line(console, f"No other variant has been measured beside {variant}.", "")
        return
    signs = SIGNS[console.options.ascii_only]
    places = {dataset: place for place, dataset in enumerate(dict.fromkeys(frame["dataset"]))}
    lines = frame[["dataset", "variant"]].drop_duplicates()
    lines = lines.sort_values("dataset", key=lambda dataset: dataset.map(places), kind="stable")
    found: list[Figures] = []
    for column in sided(columns):
        if column.name in known:
            rows = lines.merge(known[column.name], how="left", on=["dataset", "variant"])
            found += _figures(rows, column, signs)[: None if not found else 1]
    print_line(console, f"Each variant minus {variant}, on the same seeds", "bold")
    dropped = show_grid(console, lines["dataset"], lines["variant"], found, [False] * len(lines))
    print_line(console, _LEGEND.format(variant), "dim")
    if dropped:
        print_line(console, f"No room for: {', '.join(dict.fromkeys(one.name for one in dropped))}", "dim")


def _figures(rows: pd.DataFrame, column: Column, signs: Signs) -> list[Figures]:
    """The difference, the probability of being better, the p-value and the smallest detectable difference."""
    head, under = title(column, signs)
    missing = ["n/a"] * len(rows)
    plain = common(float(number) for name in ("difference", "low", "high") for number in rows[name].dropna())

    def signed(number: float) -> str:
        return ("+" if number > 0 else "") + plain(number)

    difference = estimates(rows, "difference", missing, signs, ends=("low", "high"), form=signed)
    probabilities = estimates(rows, "improves", missing, signs, form=percent)
    better = tuple((number, f"{interval}%" if interval else "") for number, interval in probabilities)
    p_values = tuple(("n/a" if pd.isna(p) else "<0.001" if p < 0.001 else f"{p:.3f}", "") for p in rows["p_holm"])
    return [
        Figures(column.name, head, under, difference),
        Figures(f"{column.name} better", "better", "of pairs", better),
        Figures(f"{column.name} p", "p", "Holm", p_values),
        Figures(f"{column.name} detectable", "detectable", under, estimates(rows, "detectable", missing, signs)),
    ]
