"""Two variants trained on the same seeds: how far apart they are, which is better, and what could have been detected.

A seed of the variant and the same seed of the baseline get the same data and the same evaluation noise, so differences
are taken seed by seed. A missing value counts as an infinity, the worst: worse than any number, and equal to another
missing value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

from ganbench.stats.intervals import CONFIDENCE, NOTHING, Interval

#: The power at which a difference counts as detectable.
POWER = 0.80


def differences(variant: Sequence[float], baseline: Sequence[float]) -> np.ndarray:
    """``variant`` minus ``baseline``, seed by seed; two equal infinities differ by 0."""
    ours, theirs = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if ours.shape != theirs.shape:
        raise ValueError(f"pairs need as many values on both sides, not {len(ours)} and {len(theirs)}")
    same = ours == theirs
    with np.errstate(over="ignore"):  # beyond all floats is an infinity
        return np.where(same, 0.0, np.subtract(ours, theirs, where=~same, out=np.zeros_like(ours)))


def improvement(variant: Sequence[float], baseline: Sequence[float], *, lower: bool) -> Interval:
    """The probability that a seed of ``variant`` is better than one of ``baseline``; a tie counts half.

    The Mann-Whitney statistic over all pairs (Agarwal et al. 2021, arXiv:2108.13264, section 4.3) with the score
    interval of Newcombe 2006 (Statistics in Medicine 25(4), part 2, method 5). Unlike a bootstrap's, this interval has
    a width even where every seed is better.

    Args:
        variant: the variant's values, one a seed.
        baseline: the baseline's values, one a seed; there may be another number of them.
        lower: whether lower is better.

    Returns:
        The probability and its 95 % interval; ``NOTHING`` where either has no values.
    """
    better, worse = (baseline, variant) if lower else (variant, baseline)
    n, m = len(better), len(worse)
    if not n * m:
        return NOTHING
    with np.errstate(all="ignore"):  # the p-value, not used here, is undefined where all values are equal
        value = float(scipy.stats.mannwhitneyu(better, worse, method="asymptotic").statistic) / (n * m)
    z = float(scipy.stats.norm.isf((1 - CONFIDENCE) / 2))
    more = (n + m) / 2 - 1

    def excess(truth: float) -> float:
        variance = truth * (1 - truth) * (1 + more * (1 - truth) / (2 - truth) + more * truth / (1 + truth)) / (n * m)
        return (truth - value) ** 2 - z * z * variance

    edge = 1e-9
    low = scipy.optimize.brentq(excess, 0.0, min(value, 1 - edge)) if value > edge else 0.0
    high = scipy.optimize.brentq(excess, max(value, edge), 1.0) if value < 1 - edge else 1.0
    return Interval(value, float(low), float(high))


def p_value(differences: np.ndarray) -> float | None:
    """The two-sided p-value of Wilcoxon's signed-rank test; 1 where nothing differs, None without pairs."""
    if not differences.size:
        return None
    return float(scipy.stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Each p-value, corrected for the number of tests (Holm 1979); None stays None and does not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, place) in enumerate(known):
        worst = max(worst, min(1.0, p * (len(known) - rank)))
        corrected[place] = worst
    return corrected


def detectable(differences: np.ndarray, *, level: float = 1 - CONFIDENCE, power: float = POWER) -> float | None:
    """The smallest true difference that as many pairs with the same spread would detect.

    The spread is the standard deviation of the differences; where some are infinite, their interquartile range, scaled
    to that of a normal distribution.

    Args:
        differences: the differences seed by seed, (pairs,).
        level: the two-sided level of the test, 5 % by default.
        power: the probability to detect the difference, 80 % by default.

    Returns:
        The difference in the units of ``differences``. None where so few pairs can never be significant (fewer than 6
        at 5 %), where the spread is not known, or where it is 0 but for rounding.
    """
    if len(differences) < 2 or _attainable(len(differences), level) is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(differences).all()
        spread = float(differences.std(ddof=1) if finite else scipy.stats.iqr(differences, scale="normal"))
    rounding = 1e-12 * float(np.abs(differences[np.isfinite(differences)]).max(initial=0.0))
    return spread * effect(len(differences), level, power) if rounding < spread < math.inf else None


@lru_cache
def effect(pairs: int, level: float = 1 - CONFIDENCE, power: float = POWER) -> float:
    """The shift, in standard deviations, that Wilcoxon's signed-rank test detects with this power at this level.

    Computed from Student's t with 3/pi as many pairs (the test's efficiency for normal differences: Hodges & Lehmann
    1956), at the largest level that the test can really have: for few pairs its p-values are coarse.

    Args:
        pairs: how many pairs there are.
        level: the two-sided level of the test, 5 % by default.
        power: the probability to detect the shift, 80 % by default.

    Returns:
        The shift, in standard deviations of the differences.

    Raises:
        ValueError: so few pairs can never be significant: fewer than 6 at 5 %.
    """
    real = _attainable(pairs, level)
    if real is None:
        raise ValueError(f"with {pairs} pairs no difference can be significant")
    as_many = pairs * 3 / math.pi
    critical = float(scipy.stats.t.isf(real / 2, as_many - 1))
    upper = critical + 2 * float(scipy.stats.t.isf(1 - power, as_many - 1)) + 10
    centre = scipy.optimize.brentq(lambda c: float(scipy.stats.nct.sf(critical, as_many - 1, c)) - power, 0.0, upper)
    return float(centre) / math.sqrt(as_many)


def _attainable(pairs: int, level: float) -> float | None:
    """The largest p-value of the exact signed-rank test that is not above the level; None where there is none."""
    if pairs > 50:
        return level
    ways = np.zeros(pairs * (pairs + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, pairs + 1):
        ways[rank:] += ways[:-rank].copy()
    p_values = 2 * ways.cumsum() / 2.0**pairs
    return float(p_values[p_values <= level].max(initial=0.0)) or None
