"""What fifteen checks ask of a measure, and whether it passes: material of ``checks_table.py``, pure.

The checks, their thresholds and what they ask of a measure of fidelity or of diversity are those of Räisä et al. 2025
(arXiv:2505.22450, and its public code). A measure that claims both, as a divergence does, is not in that study: it is
asked what follows from both. Every reading is on a scale where 1 says that nothing is wrong and 0 that all is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

#: The study's thresholds: how much lower an end must be, how far a reading may be from the highest or lowest one where
#: it should be that, how much lower the middle must be, and how near a reading must be to its value or a line to level.
APART, NEAR_END, BEFORE_END, CLOSE = 0.2, 0.1, 0.1, 0.05
FIDELITY, DIVERSITY, BOTH = "fidelity", "diversity", "both"

#: Whether the readings along a sweep pass. "high" or "low": they do, and are of a diversity that counts what is too
#: wide as diverse, or of one that does not, which must be the same throughout a check.
Verdict = bool | str
Criterion = Callable[[np.ndarray], Verdict]


def close(at: int, target: float) -> Criterion:
    """The reading at a place of the sweep is near ``target``."""
    return lambda y: bool(abs(y[at] - target) <= CLOSE)


def high_or_low(at: int) -> Criterion:
    """The reading at a place is near 1 or near 0: of a diversity, where the samples are too wide."""
    return lambda y: "high" if abs(y[at] - 1) <= CLOSE else "low" if abs(y[at]) <= CLOSE else False


def bell(middle: int, y: np.ndarray) -> Verdict:
    """Highest in the middle and much lower at both ends, of which one at least is about the lowest."""
    ends = y[[0, -1]]
    return bool(
        (y[middle] - ends >= APART).all() and y.max() - y[middle] <= NEAR_END and (ends - y.min() <= NEAR_END).any()
    )


def rising(y: np.ndarray) -> Verdict:
    """Lowest at the start, highest at the end, and much higher there."""
    return bool(y[-1] - y[0] >= APART and y[0] - y.min() <= NEAR_END and y.max() - y[-1] <= NEAR_END)


def falling(y: np.ndarray) -> Verdict:
    """Highest at the start, lowest at the end, and much lower there."""
    return rising(y[::-1])


def falling_by(place: int, y: np.ndarray) -> Verdict:
    """Falling, and lower by then: a loss is seen before all is lost."""
    return bool(falling(y) and y[0] - y[place] >= BEFORE_END)


def level(y: np.ndarray) -> Verdict:
    """The same throughout."""
    return bool(y.max() - y.min() <= CLOSE)


def high_or_low_shape(low: Criterion, high: Criterion) -> Criterion:
    """A diversity that counts what is too wide as diverse, or one that does not."""
    return lambda y: "low" if low(y) else "high" if high(y) else False


#: What each kind of measure is asked under one heading.
Asked = Mapping[str, Sequence[Criterion]]


def same(*criteria: Criterion) -> dict[str, Sequence[Criterion]]:
    """The same of each kind."""
    return dict.fromkeys((FIDELITY, DIVERSITY, BOTH), criteria)


@dataclass(frozen=True)
class Check:
    """A check, or one half of it: ``dataset`` of suites/checks, and what it ``asks`` under each of the headings."""

    title: str
    dataset: str
    asks: Mapping[str, Asked]


@dataclass(frozen=True)
class Measure:
    """A column and what it claims to measure; ``total`` is the column of what it is out of.

    ``best`` and ``worst`` are its readings where nothing and where all is wrong. Without a ``worst`` it has no upper
    bound: then the worst reading of a sweep takes its place, and it is not asked for values. Without a ``best``, too,
    the best reading of a sweep takes that place.
    """

    column: str
    claims: str
    best: float | None = 1.0
    worst: float | None = 0.0
    total: str = ""
    both_ways: bool = False

    def agreement(self, readings: np.ndarray) -> np.ndarray:
        """Readings along a sweep, 1 where nothing is wrong and 0 where all is."""
        with np.errstate(divide="ignore"):
            y = np.abs(np.log(readings)) if self.both_ways else readings
        best = self.best if self.best is not None else np.max(y)
        worst = self.worst
        if worst is None:
            worst = y[np.argmax(np.abs(y - best))]
        with np.errstate(invalid="ignore"):
            return np.ones_like(y) if best == worst else (y - worst) / (best - worst)


def verdict(criteria: Sequence[Criterion], y: np.ndarray) -> Verdict:
    """Whether readings on the common scale pass all of them."""
    return together([criterion(y) for criterion in criteria])


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict for several: all pass, and none is high where another is low."""
    kinds = {each for each in verdicts if isinstance(each, str)}
    if not all(verdicts) or len(kinds) > 1:
        return False
    return kinds.pop() if kinds else True


PURPOSE, BOUNDS, SAMPLES, DATA, INVARIANCE = "purpose", "bounds", "sample size", "data size", "units"
#: Of the ten places of a sweep with the right distribution in its middle.
MIDDLE = 4
ONE_IN_THE_MIDDLE = (close(MIDDLE, 1), close(0, 0), close(-1, 0))
BELL = {PURPOSE: same(partial(bell, MIDDLE)), BOUNDS: same(*ONE_IN_THE_MIDDLE)}


def dropped(seen_by: int) -> Mapping[str, Asked]:
    """Modes are lost: what is made is as good as before, and less diverse."""
    fall = partial(falling_by, seen_by)
    return {
        PURPOSE: {FIDELITY: [level], DIVERSITY: [fall], BOTH: [fall]},
        BOUNDS: {FIDELITY: [close(0, 1), close(-1, 1)], DIVERSITY: [close(0, 1)], BOTH: [close(0, 1)]},
    }


CHECKS = (
    Check("mean moved", "check-mean", BELL),
    Check("mean moved, one outlier", "check-outlier", BELL),
    Check("mean moved, beside a heavy tail", "check-pareto", BELL),
    Check("radius of a sphere", "check-surface", BELL),
    Check(
        "std",
        "check-std",
        {
            PURPOSE: {
                FIDELITY: [falling],
                DIVERSITY: [high_or_low_shape(partial(bell, MIDDLE), rising)],
                BOTH: [partial(bell, MIDDLE)],
            },
            BOUNDS: {
                FIDELITY: [close(MIDDLE, 1), close(0, 1), close(-1, 0)],
                DIVERSITY: [close(MIDDLE, 1), close(0, 0), high_or_low(-1)],
                BOTH: ONE_IN_THE_MIDDLE,
            },
        },
    ),
    Check("modes lost at once", "check-dropped-together", dropped(8)),
    Check("modes lost one by one", "check-dropped-in-turn", dropped(4)),
    Check(
        "modes lost and invented",
        "check-invented",
        {
            PURPOSE: {FIDELITY: [falling], DIVERSITY: [rising], BOTH: [partial(bell, MIDDLE)]},
            BOUNDS: {
                FIDELITY: [close(MIDDLE, 1), close(0, 1)],
                DIVERSITY: [close(MIDDLE, 1), close(-1, 1)],
                BOTH: [close(MIDDLE, 1)],
            },
        },
    ),
    Check(
        "one mode for two",
        "check-two-modes",
        {
            PURPOSE: {FIDELITY: [falling], DIVERSITY: [high_or_low_shape(falling, level)], BOTH: [falling]},
            BOUNDS: same(close(0, 1)),
        },
    ),
    Check(
        "units of one coordinate", "check-scaled", {INVARIANCE: same(level), BOUNDS: same(close(0, 0), close(-1, 0))}
    ),
    Check(
        "one wrong coordinate of many",
        "check-disjoint",
        {PURPOSE: same(level), BOUNDS: same(close(0, 0), close(-1, 0))},
    ),
    Check(
        "rounded or not",
        "check-rounded data",
        {
            PURPOSE: same(level),
            BOUNDS: same(close(0, 0), close(-1, 0)) | {DIVERSITY: [high_or_low(0), high_or_low(-1)]},
        },
    ),
    Check(
        "rounded or not",
        "check-rounded synthetic",
        {
            PURPOSE: same(level),
            BOUNDS: same(close(0, 0), close(-1, 0)) | {FIDELITY: [close(0, 1), close(-1, 1)]},
        },
    ),
    Check("cubes, as much data", "check-cubes", {DATA: same(level), PURPOSE: same(close(-1, 0.2))}),
    Check("cubes, 1,000 of data", "check-cubes of 1000", {SAMPLES: same(level), PURPOSE: same(close(-1, 0.2))}),
    Check("ball and torus", "check-ball-and-torus", {PURPOSE: same(level), BOUNDS: same(close(-1, 0))}),
)

LOG2 = float(np.log(2))
MEASURES = (
    Measure("precision", FIDELITY),
    Measure("density", FIDELITY),
    Measure("high_quality", FIDELITY),
    Measure("stray", FIDELITY, 0.0, 1.0),
    Measure("radial", FIDELITY, 0.0, 1.0),
    Measure("centre_error", FIDELITY, 0.0, None),
    Measure("variance_ratio", FIDELITY, 0.0, None, both_ways=True),
    Measure("recall", DIVERSITY),
    Measure("coverage", DIVERSITY),
    Measure("modes_covered", DIVERSITY, total="modes_total"),
    Measure("modes_touched", DIVERSITY, total="modes_total"),
    Measure("mass_tv", DIVERSITY, 0.0, 1.0),
    Measure("reverse_kl", DIVERSITY, 0.0, None),
    Measure("jsd", BOTH, 0.0, LOG2),
    Measure("mmd", BOTH, 0.0, None),
    Measure("mmd_median", BOTH, 0.0, None),
    Measure("sliced_wasserstein", BOTH, 0.0, None),
    Measure("parzen", BOTH, None, None),
)
