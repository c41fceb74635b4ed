"""What earlier sides predict of the next one, and what lies beyond that."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import t

from ganbench.compare.history.series import Series, same, series
from ganbench.compare.sides.compared_run import Case, ComparedRun, Seed
from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.record.status import Status

#: Fewer earlier values than this predict nothing.
FEWEST = 10
#: The probability that anything of a whole suite falls outside what is predicted, where nothing has changed.
LEVEL = 0.01

Interval = tuple[float, float]


def prediction(values: Sequence[float], *, level: float = LEVEL) -> Interval | None:
    """The interval in which the next value falls with a probability of 1 - ``level``; None where nobody can say.

    Student's t prediction interval (Hahn & Meeker 1991, section 4.7), widened so that it holds every value there was:
    tails heavier than a normal's are seen there first. None for fewer than 10 values, and where one is infinite.
    Raises ValueError on NaN.
    """
    data = np.asarray(values, dtype=float)
    if np.isnan(data).any():
        raise ValueError("NaN predicts nothing: leave missing values out")
    n = len(data)
    if n < FEWEST or not np.isfinite(data).all():
        return None
    half = float(t.isf(level / 2, n - 1)) * float(data.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return min(float(data.mean()) - half, float(data.min())), max(float(data.mean()) + half, float(data.max()))


def expected(one: Series, *, level: float = LEVEL) -> Interval | None:
    """What a series predicts of its next reading, from the readings since its last shift; speeds by their ratios."""
    values = one.level()
    if one.kind != "clock":
        found = prediction(values, level=level)
        if found is None or one.kind == "value":
            return found
        # A share is one, and no step comes before the first.
        return max(found[0], 0.0), min(found[1], 1.0) if one.kind == "share" else found[1]
    found = prediction([math.log(value) for value in values if value > 0], level=level)
    return None if found is None else (math.exp(found[0]), math.exp(found[1]))


def out_of_interval(history: Sequence[ComparedRun], new: ComparedRun, *, level: float = LEVEL) -> list[Finding]:
    """The measures of a side that are worse, by at least their floor, than all that earlier sides predict.

    ``history``: oldest first; what says exactly what the new side says, such as itself, is no witness and left out.
    ``level`` is that of the whole suite: divided by the number of measures that are judged (Bonferroni), and half of it
    on the side of better. Speeds, of the same device only, are advice.
    """
    judged = predictable(history, new)
    found = (_finding(one, expected(one.earlier, level=level / len(judged))) for one in judged)
    return [finding for finding in found if finding is not None]


def predictable(history: Sequence[ComparedRun], new: ComparedRun) -> list[Series]:
    """The series of those judged measures of a side of which there are enough earlier readings to predict it."""
    judged = []
    for one in series([*(_without(side, new) for side in history), new]):
        now = one.readings[-1]
        if now.at == len(history) and math.isfinite(one.min_effect) and len(one.earlier.level()) >= FEWEST:
            judged.append(one)
    return judged


def _without(side: ComparedRun, new: ComparedRun) -> ComparedRun:
    """A side whose cases say nothing where they would only say once more what those of the new one do."""
    return replace(side, cases={name: _silenced(one, new.cases.get(name)) for name, one in side.cases.items()})


def _silenced(case: Case, new: Case | None) -> Case:
    if new is None or not same(case, new):
        return case
    # The same numbers at another speed still witness for that.
    seeds = {seed: Seed(Status.LOST, {}) for seed in case.seeds}
    return replace(case, seeds=seeds, speed={} if case.speed == new.speed else case.speed)


def _finding(one: Series, interval: Interval | None) -> Finding | None:
    if interval is None:
        return None
    earlier, now = one.earlier.level(), one.readings[-1]
    low, high = interval
    if one.kind == "clock":
        edge = low * (1 - one.min_effect)
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
        seeds=(one.readings[-2].seeds, now.seeds),
        advice=one.kind == "clock",
    )
