"""The values of a case's seeds for one measure, as numbers: a missing one counts as the worst."""

from __future__ import annotations

import math

from ganbench.compare.sides.compared_run import Case, number
from ganbench.compare.verdicts.measures import Measure
from ganbench.record.status import Status
from ganbench.suite.guard import DIVERGED


def has_value(case: Case, measure: Measure) -> bool:
    """Whether the measure applies to the case: some seed has a value. For a step, a value of its column is enough."""
    name = measure.of if measure.kind == "step" else measure.name
    return name == DIVERGED or any(seed.values.get(name) is not None for seed in case.seeds.values())


def values(case: Case, measure: Measure) -> dict[int, float]:
    """The value of each measured seed; a missing one counts as the worst."""
    measured = {seed: one for seed, one in case.seeds.items() if one.status.measured}
    if measure.name == DIVERGED:
        return {seed: float(one.status is Status.DIVERGED) for seed, one in measured.items()}
    worst = 0.0 if measure.kind == "share" else math.inf if measure.better == "lower" else -math.inf
    known = {seed: number(one.values.get(measure.name)) for seed, one in measured.items()}
    return {seed: worst if value is None else value for seed, value in known.items()}
