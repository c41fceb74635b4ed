"""What earlier runs predict for the next one, and which of its measures lie outside the prediction."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from ganbench.compare.history.series import Series, same, series
from ganbench.compare.sides.compared_run import Case, ComparedRun, Seed
from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.record.status import Status

#: The fewest earlier values from which the next one is predicted.
FEWEST = 10
#: The probability that any measure of a whole suite falls outside its prediction although nothing has changed.
LEVEL = 0.01

Interval = tuple[float, float]


def prediction(values: Sequence[float], *, level: float = LEVEL) -> Interval | None:
    """The interval in which the next value falls with a probability of 1 - ``level``; None where that is unknown.

    Student's t prediction interval (Hahn & Meeker 1991, section 4.7), widened so that it holds all earlier values,
    which may have heavier tails than a normal distribution. None for fewer than 10 values, and where one is infinite.
    Raises ValueError on NaN.
    """
    data = np.asarray(values, dtype=float)
    if np.isnan(data).any():
        raise ValueError("NaN predicts nothing: leave missing values out")
    n = len(data)
    if n < FEWEST or not np.isfinite(data).all():
        return None
    half = float(scipy.stats.t.isf(level / 2, n - 1)) * float(data.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return min(float(data.mean()) - half, float(data.min())), max(float(data.mean()) + half, float(data.max()))


def expected(one: Series, *, level: float = LEVEL) -> Interval | None:
    """The interval that a series predicts for its next value, from the values since its last shift.

    Speeds are predicted by their logarithms, since it is their ratios that scatter.
    """
    values = one.level()
    if one.kind != "clock":
        found = prediction(values, level=level)
        if found is None or one.kind == "value":
            return found
        # A share is at most 1, and neither a share, a step nor a count is below 0.
        return max(found[0], 0.0), min(found[1], 1.0) if one.kind == "share" else found[1]
    found = prediction([math.log(value) for value in values if value > 0], level=level)
    return None if found is None else (math.exp(found[0]), math.exp(found[1]))


def out_of_interval(history: Sequence[ComparedRun], new: ComparedRun, *, level: float = LEVEL) -> list[Finding]:
    """The measures of a run that are worse than earlier runs predict, by at least their smallest change that matters.

    Speeds are compared only if they are of the same device; they are advice.

    Args:
        history: the earlier runs, oldest first; cases whose seeds have exactly the new run's numbers, such as those of
            the new run itself, are left out
        new: the run to judge
        level: the probability of any measure outside its prediction, in the whole suite and in both directions. It is
            divided by the number of measures that are judged (Bonferroni)

    Returns:
        A finding for each of these measures.
    """
    judged = predictable(history, new)
    found = (_finding(one, expected(one.earlier, level=level / len(judged))) for one in judged)
    return [finding for finding in found if finding is not None]


def predictable(history: Sequence[ComparedRun], new: ComparedRun) -> list[Series]:
    """The series of the measures of a run that are judged and have enough earlier values for a prediction."""
    judged = []
    for one in series([*(_without_repeats(run, new) for run in history), new]):
        now = one.observations[-1]
        if now.at == len(history) and math.isfinite(one.min_effect) and len(one.earlier.level()) >= FEWEST:
            judged.append(one)
    return judged


def _without_repeats(run: ComparedRun, new: ComparedRun) -> ComparedRun:
    """An earlier run without the numbers of those cases whose seeds have exactly the numbers of the new run's."""
    return replace(run, cases={name: _emptied(one, new.cases.get(name)) for name, one in run.cases.items()})


def _emptied(case: Case, new: Case | None) -> Case:
    """The case; or, if its seeds only repeat those of the new run's case, the case without their numbers."""
    if new is None or not same(case, new):
        return case
    # The same numbers at another speed were measured separately, so that speed is kept.
    seeds = {seed: Seed(Status.LOST, {}) for seed in case.seeds}
    return replace(case, seeds=seeds, speed={} if case.speed == new.speed else case.speed)


def _finding(one: Series, interval: Interval | None) -> Finding | None:
    if interval is None:
        return None
    earlier, now = one.earlier.level(), one.observations[-1]
    low, high = interval
    if one.kind == "clock":
        edge = high * (1 + one.min_effect) if one.better == "lower" else low * (1 - one.min_effect)
    else:
        edge = high + one.min_effect if one.better == "lower" else low - one.min_effect
    if not (now.value >= edge and now.value > high if one.better == "lower" else now.value <= edge and now.value < low):
        return None
    base = statistics.median(earlier)
    return Finding(
        one.dataset,
        one.variant,
        one.measure,
        one.kind,
        Outcome.WORSE,
        f"outside what {len(earlier)} earlier runs predict: {low:.3g} to {high:.3g}",
        unit=one.unit,
        better=one.better,
        base=base,
        new=now.value if math.isfinite(now.value) else None,
        effect=now.value / base if one.kind == "clock" else now.value - base,
        min_effect=one.min_effect,
        seeds=(one.observations[-2].seeds, now.seeds),
        advice=one.kind == "clock",
    )
