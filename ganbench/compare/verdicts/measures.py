"""What is judged, and how large a change has to be to matter: the floors, which a suite may set (``guard:``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ganbench.compare.sides.compared_run import Case, ComparedRun
from ganbench.plugin.column import Column, find
from ganbench.suite.guard import COUNTS, DIVERGED, SPEED, Guard

#: Of the primary column its thresholds say it.
MIN_EFFECTS: Guard = {DIVERGED: 0.125, SPEED: 0.1, COUNTS: 0.0}
#: For a share of seeds, a column of yes or no: 4 of 16 seeds. For the step that it was held from: of the budget.
MIN_SHARE = 0.25
MIN_STEPS = 0.2


@dataclass(frozen=True)
class Measure:
    """One thing that is judged of each seed: ``min_effect`` in its unit (of a share: 0 to 1).

    ``of``: the column that it is about; of a step the yes or no that held from it on.
    """

    name: str
    kind: Literal["value", "share", "step"]
    better: Literal["lower", "higher"]
    unit: str
    min_effect: float
    of: str


def min_effects(side: ComparedRun, case: Case) -> Guard:
    """The floors that the suite sets for a case: its own before those of all."""
    return min_effects_of(side.guard, case.variant)


def min_effects_of(guard: Mapping[str, Guard], variant: str) -> Guard:
    """The floors of a variant: its own before those of all, which are under ""."""
    return {**guard.get("", {}), **guard.get(variant, {})}


def measures(side: ComparedRun, case: Case) -> Iterator[Measure]:
    """What is judged of a case's seeds: divergence, each yes or no with its step, the primary, and what the suite adds.

    Another number is judged only where the suite gives it a floor; a floor of False leaves out what would be judged.
    """
    given, primary = min_effects(side, case), find(side.columns.values(), "primary")

    def min_effect(name: str, usual: float | None) -> float | None:
        said = given.get(name, usual)
        return None if said is None or said is False else float(said)

    if (least := min_effect(DIVERGED, MIN_EFFECTS[DIVERGED])) is not None:
        yield Measure(DIVERGED, "share", "lower", "of seeds", least, DIVERGED)
    for column in side.columns.values():
        if column.summary == "share":
            if (least := min_effect(column.name, MIN_SHARE)) is not None:
                yield Measure(column.name, "share", side_of(column), "of seeds", least, column.name)
            if (least := min_effect(column.held, MIN_STEPS * side.steps)) is not None:
                yield Measure(column.held, "step", "lower", "steps", least, column.name)
        elif column.sided:
            usual = column.thresholds.min_effect if column.thresholds and column == primary else None
            if (least := min_effect(column.name, usual)) is not None:
                yield Measure(column.name, "value", side_of(column), column.unit, least, column.name)


def side_of(column: Column) -> Literal["lower", "higher"]:
    """The better side of a column that has one."""
    return "lower" if column.better == "lower" else "higher"
