"""What a step costs in two runs: counts are compared exactly, clocks are advice.

A clock is evidence only where the two were timed in turn (``compare.speed``): two runs at two times, on machines that
others use too, differ by more than any regression worth finding. Memory, as the system measures it, is never the same
twice, and not compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganbench.compare.sides.compared_run import Case, ComparedRun, Name
from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.compare.verdicts.measures import MIN_EFFECTS, min_effects
from ganbench.plugin.column import Column, interval_of
from ganbench.plugin.role import Role
from ganbench.suite.guard import COUNTS, SPEED


def costs(base: ComparedRun, new: ComparedRun, name: Name) -> Iterator[Finding]:
    """The findings on a case's counts and clocks, of those that both runs have.

    Args:
        base: The base run.
        new: The new run.
        name: The case, which both runs have.

    Yields:
        A finding for each count, also for one that is gone, and, on the same device, for each clock.
    """
    before, now = base.cases[name], new.cases[name]
    given = min_effects(new, now)
    same_device = dict(base.device) == dict(new.device)
    # Another torch may dispatch, and so count, differently.
    same_torch = base.versions.get("torch") == new.versions.get("torch") and _kind(base) == _kind(new)
    min_effect = given.get(COUNTS, MIN_EFFECTS[COUNTS])
    if min_effect is not False:
        for column in _of_role(new, "count"):
            if column.name in now.counts and column.name in before.counts and column.better != "neither":
                yield _count(before, now, column, float(min_effect), advice=not same_torch)
        for column in _of_role(base, "count"):
            if column.name in before.counts and column.name not in now.counts:
                was = before.counts[column.name]
                yield Finding(*name, column.name, "count", Outcome.GONE, "is no longer counted", base=was)
    min_effect = given.get(SPEED, MIN_EFFECTS[SPEED])
    if min_effect is not False and same_device:
        for column in _of_role(new, "clock"):
            if column.name in now.speed and column.name in before.speed:
                yield _clock(base, new, name, column, float(min_effect))


def _of_role(run: ComparedRun, role: Role) -> list[Column]:
    return [column for column in run.columns.values() if column.role == role]


def _kind(run: ComparedRun) -> str:
    """The kind of device that a run trained on: ``cpu``, or the GPU's name."""
    return str(run.device.get("gpu", "cpu"))


def _count(before: Case, now: Case, column: Column, min_effect: float, *, advice: bool) -> Finding:
    was, is_ = before.counts[column.name], now.counts[column.name]
    ratio = is_ / was if was else 1.0 if is_ == was else float("inf")
    reason = "another torch or device may count otherwise" if advice and is_ != was else ""
    return Finding(
        now.dataset,
        now.variant,
        column.name,
        "count",
        _outcome(ratio, column, min_effect),
        "identical" if is_ == was else reason,
        better=column.better,
        base=was,
        new=is_,
        effect=ratio,
        min_effect=min_effect,
        identical=is_ == was,
        advice=advice,
    )


def _clock(base: ComparedRun, new: ComparedRun, name: Name, column: Column, min_effect: float) -> Finding:
    """Slower or faster where the ranges of the two clocks do not overlap and the ratio exceeds the floor."""
    was, is_ = (run.cases[name].speed[column.name] for run in (base, new))
    ratio = is_ / was if was else math.inf
    outcome = _outcome(ratio, column, min_effect)
    before, now = ends(base, name, column), ends(new, name, column)
    if before is None or now is None or (now[0] <= before[1] and before[0] <= now[1]):
        outcome = Outcome.SAME if outcome is Outcome.SAME else Outcome.UNSURE
    return Finding(
        *name,
        column.name,
        "clock",
        outcome,
        "timed at two times: advice; --against REV times them in turn" if outcome is not Outcome.SAME else "",
        unit=column.unit,
        better=column.better,
        base=was,
        new=is_,
        effect=ratio,
        min_effect=min_effect,
        advice=True,
    )


def ends(run: ComparedRun, name: Name, clock: Column) -> tuple[float, float] | None:
    """The least and the greatest number of a clock in a case.

    Args:
        run: The run.
        name: The case.
        clock: The clock's column.

    Returns:
        The two numbers, in the clock's unit; None where they are not known.
    """
    low, high = interval_of([*run.columns.values()], clock.name)
    speed = run.cases[name].speed
    if low is None or high is None or low.name not in speed or high.name not in speed:
        return None
    return speed[low.name], speed[high.name]


def _outcome(ratio: float, column: Column, min_effect: float) -> Outcome:
    """Whether a ratio, new to base, exceeds the floor, and in which direction."""
    if 1 - min_effect <= ratio <= 1 + min_effect:
        return Outcome.SAME
    return Outcome.WORSE if (ratio > 1) == (column.better == "lower") else Outcome.BETTER
