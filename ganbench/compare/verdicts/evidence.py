"""The evidence of the seeds of two sides on one measure of one case: the change, and a test in each direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from ganbench.compare.sides.compared_run import Case
from ganbench.compare.verdicts.measures import Measure
from ganbench.compare.verdicts.values import has_value, values
from ganbench.stats.exact_tests import TestResult, boschloo, rank_sum, signed_rank
from ganbench.stats.intervals import Interval, interquartile_mean, resampled_ends
from ganbench.stats.paired import differences

#: The fewest common seeds that are compared as pairs: with fewer, the smallest p-value, 2^-pairs, is too large.
PAIRS = 12
_RESAMPLES = 2000


@dataclass(frozen=True)
class Evidence:
    """What the seeds show about one measure of one case of the new side.

    ``base``, ``new``: medians or shares. ``effect``: new minus base, with its interval. ``worse``, ``better``: a test
    in each direction. ``seeds``: how many the base and the new side have. ``scatter``: the differences seed by seed,
    None where there are no pairs. ``identical``: whether all seeds have the same numbers on both sides.
    """

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
        """By how much the new side is worse; negative where it is better.

        Infinite where one side's middle half of seeds has no number, NaN where the change has no number.
        """
        if self.effect.value is None:
            return math.nan
        return self.effect.value if self.measure.better == "lower" else -self.effect.value


def evidence_of(base: Case, new: Case, measure: Measure) -> Evidence | None:
    """Compare the seeds of both sides in one measure: as pairs where enough seeds are common to both.

    Args:
        base: the case in the base
        new: the case on the new side
        measure: what to compare

    Returns:
        The evidence; None where the measure applies to neither side, or a side has no measured seed.
    """
    if not (has_value(new, measure) or has_value(base, measure)):
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
    # With this sign more is worse, so that a test of "greater" is the test of worse.
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
    """The interquartile mean of paired differences, also where it is infinite."""
    found = interquartile_mean(apart)
    if found.value is not None:
        return found
    middle = _trimmed(apart)
    return Interval(None if math.isnan(middle) else middle, None, None)


def _middle_apart(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """The difference of two interquartile means, with an interval from resampling both sides."""
    with np.errstate(invalid="ignore"):
        value = _trimmed(ours) - _trimmed(theirs)
        random = np.random.default_rng(0)
        left, right = (
            scipy.stats.trim_mean(one[random.integers(len(one), size=(_RESAMPLES, len(one)))], 0.25, axis=1)
            for one in (ours, theirs)
        )
        apart = left - right
    if math.isnan(value):
        return Interval(0.0 if math.isinf(_trimmed(ours)) else None, None, None)
    fewest = min(len(ours), len(theirs))
    return Interval(value, *(resampled_ends(apart, fewest) if fewest > 5 else (None, None)))


def _trimmed(values: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(scipy.stats.trim_mean(values, 0.25))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
