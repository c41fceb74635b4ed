"""The seeds of a cell from best to worst, each with its verdict: the order of the pictures of a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganbench.record.cell_record import CellRecord
from ganbench.record.picture_arrays import Picture
from ganbench.record.tables.values import last_values
from ganbench.report.figures import SIGNS, title
from ganbench.report.numbers import common
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.verdict_bars import paint, sign, words


@dataclass(frozen=True)
class OrderedSeed:
    """A seed with what is said under its picture. ``value``: its main number, as text; empty where it has none."""

    seed: int
    verdict: str
    sign: str
    paint: str
    value: str


def ordered(run: ShownRun, cell: CellRecord) -> list[OrderedSeed]:
    """The seeds of a cell, the best by the main column first; those without a number last."""
    known = {} if run.main is None else {seed: float(one) for seed, one in last_values(cell, run.main).items()}
    form = common(value for value in known.values() if math.isfinite(value))
    better = -1 if run.main is not None and run.main.better == "higher" else 1
    found = []
    for seed, word in zip(cell.seeds, words(run, cell), strict=True):
        value = known.get(seed)
        text = "" if value is None else form(value)
        shown = "" if cell.reference else word
        one = OrderedSeed(seed, shown, sign(word) if shown else "", paint(word), text)
        found.append((math.inf if value is None else better * value, one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def under(run: ShownRun) -> str:
    """What stands under the picture of a seed, in a sentence."""
    if run.main is None:
        return "Under each: the sign of its verdict."
    unit = f" in {run.main.unit}" if run.main.unit else ""
    return f"Under each: the sign of its verdict, and its {title(run.main, SIGNS[True])[0]}{unit}."


def thinned(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """At most so many of a cell's pictures, evenly spread over the steps; the last is always among them."""
    count = min(len(pictures), max(most, 1))
    places = np.linspace(len(pictures) - 1, 0, count).round().astype(int)
    return [pictures[place] for place in sorted(places)]


def spread(seeds: Sequence[OrderedSeed], most: int) -> list[OrderedSeed]:
    """At most so many seeds, evenly spread over their order; the best and the worst are always among them."""
    places = np.linspace(0, len(seeds) - 1, min(len(seeds), most))
    return [seeds[round(place)] for place in places]


def chosen(run: ShownRun, cell: CellRecord, among: tuple[int, ...]) -> list[tuple[str, OrderedSeed]]:
    """The best, the median and the worst of some seeds of a cell; fewer where there are fewer.

    Args:
        run: The run.
        cell: One of its cells.
        among: The seeds to choose from.

    Returns:
        ``best seed``, ``median seed`` or ``worst seed`` with the seed; among how many it is where that is not all.
        Where none has a number, and so none is best, ``first``, ``middle`` and ``last`` by their order in the suite.
    """
    seeds = [one for one in ordered(run, cell) if one.seed in among]
    names = ("best", "median", "worst") if any(one.value for one in seeds) else ("first", "middle", "last")
    places = dict(zip(names, (0, len(seeds) // 2, len(seeds) - 1), strict=True))
    whole = len(seeds) == len(cell.seeds)
    which = "seed" if whole else f"of {len(seeds)} followed {'seed' if len(seeds) == 1 else 'seeds'}"
    found: dict[int, tuple[str, OrderedSeed]] = {}
    for name, place in places.items():
        if seeds and place not in found:
            found[place] = (f"{name} {which}", seeds[place])
    return [found[place] for place in sorted(found)]
