"""What is judged, and how large a change has to be to matter: the floors, which a suite may set (``guard:``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ganbench.compare.sides.side import Case, Side
from ganbench.plugin.column import Column
from ganbench.suite.guard import COUNTS, DIVERGED, SPEED, Guard

FLOORS: Guard = {"jsd": 0.02, DIVERGED: 0.125, SPEED: 0.1, COUNTS: 0.0}
#: For a share of seeds, a column of yes or no: 4 of 16 seeds. For the step that it was held from: of the budget.
SHARE_FLOOR = 0.25
STEP_FLOOR = 0.2


@dataclass(frozen=True)
class Measure:
    """One thing that is judged of each seed: ``floor`` in its unit (of a share: 0 to 1).

    ``of``: the column that it is about; of a step the yes or no that held from it on.
    """

    name: str
    kind: Literal["value", "share", "step"]
    better: Literal["lower", "higher"]
    unit: str
    floor: float
    of: str


def floors(side: Side, case: Case) -> Guard:
    """The floors that the suite sets for a case: its own before those of all."""
    return floors_of(side.guard, case.variant)


def floors_of(guard: Mapping[str, Guard], variant: str) -> Guard:
    """The floors of a variant: its own before those of all, which are under ""."""
    return {**guard.get("", {}), **guard.get(variant, {})}


def measures(side: Side, case: Case) -> Iterator[Measure]:
    """What is judged of a case's seeds: divergence, each yes or no with its step, the JSD, and what the suite adds.

    A column without a floor of its own, other than the JSD, is judged only where the suite gives it one; a floor of
    False leaves out what would be judged.
    """
    given = floors(side, case)

    def floor(name: str, usual: float | None) -> float | None:
        said = given.get(name, usual)
        return None if said is None or said is False else float(said)

    if (least := floor(DIVERGED, FLOORS[DIVERGED])) is not None:
        yield Measure(DIVERGED, "share", "lower", "of seeds", least, DIVERGED)
    for column in side.columns.values():
        if column.summary == "share":
            if (least := floor(column.name, SHARE_FLOOR)) is not None:
                yield Measure(column.name, "share", _side(column), "of seeds", least, column.name)
            if (least := floor(column.held, STEP_FLOOR * side.steps)) is not None:
                yield Measure(column.held, "step", "lower", "steps", least, column.name)
        elif column.summary == "median" and column.better != "neither":
            least = floor(column.name, FLOORS.get(column.name))
            if least is not None:
                yield Measure(column.name, "value", _side(column), column.unit, least, column.name)


def _side(column: Column) -> Literal["lower", "higher"]:
    return "lower" if column.better == "lower" else "higher"
