"""What the seeds of two sides say of one measure of one case: how far apart they are, and tests of either direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import trim_mean

from ganbench.compare.sides.compared_run import Case
from ganbench.compare.verdicts.measures import Measure
from ganbench.compare.verdicts.values import says, values
from ganbench.stats.exact_tests import TestResult, boschloo, rank_sum, signed_rank
from ganbench.stats.intervals import Interval, interquartile_mean, resampled_ends
from ganbench.stats.paired import differences

#: Fewer seeds on both sides than this are not compared as pairs: of 2^pairs outcomes the rarest is not rare enough.
PAIRS = 12
_RESAMPLES = 2000


@dataclass(frozen=True)
class Evidence:
    """What the seeds say of one measure of one case: ``worse`` and ``better`` are the tests of either direction."""

    case: Case
    measure: Measure
    base: float | None
    new: float | None
    effect: Interval
    worse: TestResult
    better: TestResult
    seeds: tuple[int, int]
    scatter: np.ndarray | None
    identical: bool

    @property
    def size(self) -> float:
        """How far the new side is worse, and below 0 better.

        Infinite where the middle half of the seeds has no number, NaN where so many of either side have none.
        """
        if self.effect.value is None:
            return math.nan
        return self.effect.value if self.measure.better == "lower" else -self.effect.value


def evidence_of(base: Case, new: Case, measure: Measure) -> Evidence | None:
    """What the seeds of both sides say; None where none of either says anything."""
    if not (says(new, measure) or says(base, measure)):
        return None
    ours, theirs = values(new, measure), values(base, measure)
    if not ours or not theirs:
        return None
    identical = ours == theirs
    seeds = (len(theirs), len(ours))
    if measure.kind == "share":
        held, held_before = int(sum(ours.values())), int(sum(theirs.values()))
        fall = boschloo(held, len(ours), held_before, len(theirs))
        rise = boschloo(held_before, len(theirs), held, len(ours))
        worse, better = (fall, rise) if measure.better == "higher" else (rise, fall)
        before, now = held_before / len(theirs), held / len(ours)
        change = Interval(now - before, None, None)
        return Evidence(new, measure, before, now, change, worse, better, seeds, None, identical)
    # So that more is worse, and the tests of "above" are those of worse.
    sign = 1.0 if measure.better == "lower" else -1.0
    both = [seed for seed in ours if seed in theirs]
    if len(both) >= PAIRS:
        ours, theirs = ({seed: one[seed] for seed in both} for one in (ours, theirs))
        seeds = (len(both), len(both))
        apart = differences([ours[seed] for seed in both], [theirs[seed] for seed in both])
        worse, better = signed_rank(sign * apart), signed_rank(-sign * apart)
        change, scatter = _middle(apart), apart
    else:
        left, right = np.array([*ours.values()]), np.array([*theirs.values()])
        worse, better = rank_sum(sign * left, sign * right), rank_sum(-sign * left, -sign * right)
        change, scatter = _middle_apart(left, right), None
    medians = [_finite(float(np.median([*one.values()]))) for one in (theirs, ours)]
    return Evidence(new, measure, medians[0], medians[1], change, worse, better, seeds, scatter, identical)


def _middle(apart: np.ndarray) -> Interval:
    """The interquartile mean of paired differences; an infinite one is kept."""
    found = interquartile_mean(apart)
    if found.value is not None:
        return found
    middle = _trimmed(apart)
    return Interval(None if math.isnan(middle) else middle, None, None)


def _middle_apart(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """The difference of two interquartile means, resampled on either side."""
    with np.errstate(invalid="ignore"):
        value = _trimmed(ours) - _trimmed(theirs)
        random = np.random.default_rng(0)
        left, right = (
            trim_mean(one[random.integers(len(one), size=(_RESAMPLES, len(one)))], 0.25, axis=1)
            for one in (ours, theirs)
        )
        apart = left - right
    if math.isnan(value):
        return Interval(0.0 if math.isinf(_trimmed(ours)) else None, None, None)
    fewest = min(len(ours), len(theirs))
    return Interval(value, *(resampled_ends(apart, fewest) if fewest > 5 else (None, None)))


def _trimmed(values: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(trim_mean(values, 0.25))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
