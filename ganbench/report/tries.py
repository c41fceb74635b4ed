"""The best of k tries of each variant that a suite sweeps, for a person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from ganbench.plugin.column import Column
from ganbench.record.tables.values import sided
from ganbench.report.figures import SIGNS, Figures, estimates, title
from ganbench.report.grid import print_line, show_grid
from ganbench.report.numbers import common

_LEGEND = (
    "A try is a setting picked at random, none twice, with one seed: the median of the best of k, with 95 % bootstrap "
    "intervals over seeds. Picked and judged by the same number, so optimistic: compare at the same k only."
)


def show_tries(frame: pd.DataFrame, console: Console, columns: Sequence[Column]) -> None:
    """Print the best of k tries, of the first column with a better side; nothing where there are none.

    Args:
        frame: The table of ``record.tries.tries``.
        console: Where to print.
        columns: The record's columns.
    """
    column = next(iter(sided(columns)), None)
    rows = frame[frame["column"] == column.name] if column else frame[:0]
    if column is None or rows.empty:
        return
    signs = SIGNS[console.options.ascii_only]
    head, unit = title(column, signs)
    lines = rows[["dataset", "family"]].drop_duplicates()
    form = common(float(number) for name in ("best", "low", "high") for number in rows[name].dropna())
    found = []
    for k in _doubling(int(rows["settings"].max())):
        some = lines.merge(rows[rows["k"] == k], how="left", on=["dataset", "family"])
        cells = estimates(some, "best", [signs.none] * len(some), signs, ends=("low", "high"), form=form)
        found.append(Figures(f"k = {k}", f"best of {k}", unit, cells))
    print_line(console, "", "")
    print_line(console, f"Median best of k settings: {head}", "bold")
    dropped = show_grid(console, lines["dataset"], lines["family"], found, [False] * len(lines))
    print_line(console, _LEGEND, "dim")
    if dropped:
        print_line(console, f"No room for: {', '.join(one.name for one in dropped)}", "dim")


def _doubling(most: int) -> list[int]:
    """1, 2, 4, ... and the last."""
    return [*(2**power for power in range((most - 1).bit_length())), most]
