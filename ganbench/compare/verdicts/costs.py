"""What a step costs on two sides: what was counted is compared exactly, what a clock said is advice.

A clock is believed only where the two sides were timed in turn (``compare.race``): two runs at two times, on machines
that others use too, differ by more than any regression worth finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganbench.compare.sides.compared_run import Case, ComparedRun, Name
from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.compare.verdicts.measures import MIN_EFFECTS, min_effects
from ganbench.suite.guard import COUNTS, SPEED

#: Measured as the system tells it, so never the same twice: not compared.
_UNSTEADY = ("peak_memory",)
#: The columns of the metric ``throughput`` that are compared.
CLOCKS = ("model_steps_per_second", "model_steps_per_second_one")


def costs(base: ComparedRun, new: ComparedRun, name: Name) -> Iterator[Finding]:
    """The findings on a case's counts and clocks, of those that both sides have."""
    before, now = base.cases[name], new.cases[name]
    given = min_effects(new, now)
    same_device = dict(base.device) == dict(new.device)
    # Another torch may dispatch, and count, otherwise.
    same_torch = base.versions.get("torch") == new.versions.get("torch") and _kind(base) == _kind(new)
    min_effect = given.get(COUNTS, MIN_EFFECTS[COUNTS])
    if min_effect is not False:
        for column in now.counts:
            if column in before.counts and column not in _UNSTEADY and new.columns[column].better == "lower":
                yield _count(before, now, column, float(min_effect), advice=not same_torch)
        for column in before.counts:
            if column in now.counts or column in _UNSTEADY:
                continue
            yield Finding(*name, column, "count", Outcome.GONE, "is no longer counted", base=before.counts[column])
    min_effect = given.get(SPEED, MIN_EFFECTS[SPEED])
    if min_effect is not False and same_device:
        for column in CLOCKS:
            if all(f"{column}{end}" in case.speed for case in (before, now) for end in ("", "_low", "_high")):
                yield _clock(before, now, column, float(min_effect))


def _kind(side: ComparedRun) -> str:
    """Which kind of device a side trained on: ``cpu``, or the GPU's name."""
    return str(side.device.get("gpu", "cpu"))


def _count(before: Case, now: Case, column: str, min_effect: float, *, advice: bool) -> Finding:
    was, is_ = before.counts[column], now.counts[column]
    ratio = is_ / was if was else 1.0 if is_ == was else float("inf")
    outcome = Outcome.WORSE if ratio > 1 + min_effect else Outcome.BETTER if ratio < 1 - min_effect else Outcome.SAME
    reason = "another torch or device may count otherwise" if advice and is_ != was else ""
    return Finding(
        now.dataset,
        now.variant,
        column,
        "count",
        outcome,
        "identical" if is_ == was else reason,
        better="lower",
        base=was,
        new=is_,
        effect=ratio,
        min_effect=min_effect,
        identical=is_ == was,
        advice=advice,
    )


def _clock(before: Case, now: Case, column: str, min_effect: float) -> Finding:
    """Slower or faster where the slowest and fastest chunks of the two do not even overlap, and beyond the floor."""
    was, is_ = before.speed[column], now.speed[column]
    ratio = is_ / was if was else math.inf
    apart = now.speed[f"{column}_high"] < before.speed[f"{column}_low"]
    above = now.speed[f"{column}_low"] > before.speed[f"{column}_high"]
    outcome = Outcome.SAME
    if ratio < 1 - min_effect or ratio > 1 + min_effect:
        outcome = Outcome.WORSE if ratio < 1 and apart else Outcome.BETTER if ratio > 1 and above else Outcome.UNSURE
    return Finding(
        now.dataset,
        now.variant,
        column,
        "clock",
        outcome,
        "timed at two times: advice; --against REV times them in turn" if outcome is not Outcome.SAME else "",
        unit="1/s",
        better="higher",
        base=was,
        new=is_,
        effect=ratio,
        min_effect=min_effect,
        advice=True,
    )
