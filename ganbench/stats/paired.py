"""Two variants trained on the same seeds: how far apart they are, which is better, and what could have been seen.

A variant's seed and the baseline's see the same data and the same evaluation noise, so differences are taken seed by
seed. A value that is missing counts as the worst, an infinity: it is infinitely worse than any number, and as bad as
another one that is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import iqr, mannwhitneyu, nct, norm, t, wilcoxon

from ganbench.stats.intervals import CONFIDENCE, NOTHING, Interval

#: The power that the smallest detectable difference is defined by.
POWER = 0.80


def differences(variant: Sequence[float], baseline: Sequence[float]) -> np.ndarray:
    """``variant`` minus ``baseline``, seed by seed; two equal infinities differ by 0."""
    ours, theirs = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if ours.shape != theirs.shape:
        raise ValueError(f"pairs need as many values on both sides, not {len(ours)} and {len(theirs)}")
    same = ours == theirs
    return np.where(same, 0.0, np.subtract(ours, theirs, where=~same, out=np.zeros_like(ours)))


def improvement(variant: Sequence[float], baseline: Sequence[float], *, lower: bool) -> Interval:
    """The probability that a seed of ``variant`` is better than one of ``baseline``; a tie counts half.

    The Mann-Whitney statistic over all pairs (Agarwal et al. 2021, arXiv:2108.13264, section 4.3) with the score
    interval of Newcombe 2006 (Statistics in Medicine 25(4), part 2, method 5), which, unlike a bootstrap, has a width
    where every seed wins. ``lower``: whether less is better.
    """
    better, worse = (baseline, variant) if lower else (variant, baseline)
    n, m = len(better), len(worse)
    if not n * m:
        return NOTHING
    with np.errstate(all="ignore"):  # its p-value, which is not used, is undefined where all are the same
        value = float(mannwhitneyu(better, worse, method="asymptotic").statistic) / (n * m)
    z = float(norm.isf((1 - CONFIDENCE) / 2))
    more = (n + m) / 2 - 1

    def beyond(truth: float) -> float:
        variance = truth * (1 - truth) * (1 + more * (1 - truth) / (2 - truth) + more * truth / (1 + truth)) / (n * m)
        return (truth - value) ** 2 - z * z * variance

    edge = 1e-9
    low = brentq(beyond, 0.0, min(value, 1 - edge)) if value > edge else 0.0
    high = brentq(beyond, max(value, edge), 1.0) if value < 1 - edge else 1.0
    return Interval(value, float(low), float(high))


def p_value(differences: np.ndarray) -> float | None:
    """The two-sided p-value of Wilcoxon's signed-rank test; 1 where nothing differs, None without pairs."""
    if not differences.size:
        return None
    return float(wilcoxon(differences).pvalue) if differences.any() else 1.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Each p-value, corrected for standing among the others (Holm 1979); None stays None and does not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, place) in enumerate(known):
        worst = max(worst, min(1.0, p * (len(known) - rank)))
        corrected[place] = worst
    return corrected


def detectable(differences: np.ndarray, *, level: float = 1 - CONFIDENCE, power: float = POWER) -> float | None:
    """The smallest true difference that so many pairs, scattered so, show: 4 times of 5 at 5 % (two-sided) unless said.

    The scatter is the standard deviation of the differences or, where some are infinite, their interquartile range as a
    normal distribution has it. None where so few pairs cannot be significant (fewer than 6 at 5 %), where the scatter
    is not known or nothing scatters (but by rounding).
    """
    if len(differences) < 2 or _attainable(len(differences), level) is None:
        return None
    if np.isfinite(differences).all():
        scatter = float(differences.std(ddof=1))
    else:
        with np.errstate(invalid="ignore"):
            scatter = float(iqr(differences, scale="normal"))
    rounding = 1e-12 * float(np.abs(differences[np.isfinite(differences)]).max(initial=0.0))
    return scatter * effect(len(differences), level, power) if rounding < scatter < math.inf else None


@lru_cache
def effect(pairs: int, level: float = 1 - CONFIDENCE, power: float = POWER) -> float:
    """The shift, in standard deviations, that Wilcoxon's signed-rank test finds with this power at this level.

    The level is two-sided.

    By Student's t with 3/pi as many pairs (the test's efficiency for normal differences: Hodges & Lehmann 1956), at
    the level the test can really have: for few pairs its p-values are coarse. Raises ValueError where so few pairs can
    never be significant: below 6 at 5 %.
    """
    real = _attainable(pairs, level)
    if real is None:
        raise ValueError(f"with {pairs} pairs no difference can be significant")
    as_many = pairs * 3 / math.pi
    critical = float(t.isf(real / 2, as_many - 1))
    upper = critical + 2 * float(t.isf(1 - power, as_many - 1)) + 10
    centre = brentq(lambda c: float(nct.sf(critical, as_many - 1, c)) - power, 0.0, upper)
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
