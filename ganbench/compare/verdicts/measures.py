"""What is judged, and how large a change must be to matter: the floors, which a suite may set (``guard:``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ganbench.compare.sides.compared_run import Case, ComparedRun
from ganbench.plugin.column import Column, find
from ganbench.suite.guard import COUNTS, DIVERGED, SPEED, Guard

#: The floors of measures that are no columns; that of the primary column is in its thresholds.
MIN_EFFECTS: Guard = {DIVERGED: 0.125, SPEED: 0.1, COUNTS: 0.0}
#: For a share of seeds, a true-or-false column: 4 of 16 seeds. For the step from which it was held: of the budget.
MIN_SHARE = 0.25
MIN_STEPS = 0.2


@dataclass(frozen=True)
class Measure:
    """One thing that is judged of each seed: ``min_effect`` in its unit (of a share: 0 to 1).

    ``of``: the column that it is about; for a step, the true-or-false column that was held from that step on.
    """

    name: str
    kind: Literal["value", "share", "step"]
    better: Literal["lower", "higher"]
    unit: str
    min_effect: float
    of: str


def min_effects(run: ComparedRun, case: Case) -> Guard:
    """The floors that the suite sets for a case: the variant's own override those of all."""
    return min_effects_of(run.guard, case.variant)


def min_effects_of(guard: Mapping[str, Guard], variant: str) -> Guard:
    """The floors of a variant: its own override those of all, which are under ""."""
    return {**guard.get("", {}), **guard.get(variant, {})}


def measures(run: ComparedRun, case: Case) -> Iterator[Measure]:
    """What is judged of a case's seeds: divergence, each true-or-false column with its step, the primary column, ...

    Another number is judged only where the suite gives it a floor; a floor of False excludes a measure.
    """
    given, primary = min_effects(run, case), find(run.columns.values(), "primary")

    def min_effect(name: str, usual: float | None) -> float | None:
        floor = given.get(name, usual)
        return None if floor is None or floor is False else float(floor)

    if (least := min_effect(DIVERGED, MIN_EFFECTS[DIVERGED])) is not None:
        yield Measure(DIVERGED, "share", "lower", "of seeds", least, DIVERGED)
    for column in run.columns.values():
        if column.summary == "share":
            if (least := min_effect(column.name, MIN_SHARE)) is not None:
                yield Measure(column.name, "share", side_of(column), "of seeds", least, column.name)
            if (least := min_effect(column.held, MIN_STEPS * run.steps)) is not None:
                yield Measure(column.held, "step", "lower", "steps", least, column.name)
        elif column.sided:
            usual = column.thresholds.min_effect if column.thresholds and column == primary else None
            if (least := min_effect(column.name, usual)) is not None:
                yield Measure(column.name, "value", side_of(column), column.unit, least, column.name)


def side_of(column: Column) -> Literal["lower", "higher"]:
    """The better side of a column that has one."""
    return "lower" if column.better == "lower" else "higher"
