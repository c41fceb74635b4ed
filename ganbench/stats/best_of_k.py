"""The best of k tries: the result to expect from the best of k settings of a variant, picked at random.

Lucic et al. 2018, "Are GANs Created Equal?" (arXiv:1711.10337), and Dodge et al. 2019, "Show Your Work"
(arXiv:1909.03004), assume independent tries with one number each. Here no setting is tried twice, and each try uses
one of the setting's seeds. So nothing is simulated, and at k = 1 the result is that of the seeds of all settings.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ganbench.stats.intervals import FEWEST, Interval, resampled_ends

_RESAMPLES = (200, 2000)
#: How many numbers all resamples together may have, and one chunk of them.
_WORK, _CHUNK = 10**9, 10**5
#: How many levels the values of resamples are rounded to.
_LEVELS = 400
_ROUNDING = 1e-12


class Best(NamedTuple):
    """The best of k tries: its median and its mean, each with an interval."""

    median: Interval
    mean: Interval


def best_of(values: np.ndarray) -> list[Best]:
    """The best (smallest) value of k = 1, 2, ... settings, up to all, from ``values``, (settings, seeds).

    An infinite value is a failed try. k settings are drawn without replacement, all sets equally likely, and each is
    tried with one of its seeds, independently. The numbers are exact: P(best > x) is the mean, over all sets of k
    settings, of the product of the shares of their seeds above x, an elementary symmetric polynomial (Baker & Harwell
    1996, Applied Psychological Measurement 20(2), recursion of sums). The intervals are percentiles of a bootstrap
    that draws seeds, the same for all settings, widened for few seeds; they need at least 6 seeds. A mean is infinite
    where a failed try can be the best. Raises ValueError on NaN.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        raise ValueError("NaN among the values has no meaning: a failed try is an infinity")
    settings, seeds = values.shape
    levels = np.unique(values)
    medians, means = _summaries(levels, _survival(_above(values, levels, np.ones((1, seeds)))))
    ends = _ends(values, levels) if seeds >= FEWEST else [[(None, None)] * settings] * 2
    return [
        Best(Interval(float(median), *ends[0][k]), Interval(float(mean), *ends[1][k]))
        for k, (median, mean) in enumerate(zip(medians[:, 0], means[:, 0], strict=True))
    ]


def _above(values: np.ndarray, levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The shares of each setting's seeds above each level, (settings, resamples, levels).

    ``counts``, (resamples, seeds): how often each resample has each seed.
    """
    above = (values[:, :, None] > levels).astype(float)
    return np.asarray(counts @ above / values.shape[1])


def _survival(above: np.ndarray) -> np.ndarray:
    """The probability that the best of k = 1, ... settings is above each level, of the same shape as ``above``.

    Computed setting by setting: a set of k of the first n settings has the n-th with probability k/n.
    """
    survival = np.zeros((len(above) + 1, *above.shape[1:]))
    survival[0] = 1
    for n, share in enumerate(above, 1):
        among = (np.arange(1, n + 1) / n)[:, None, None]
        survival[1 : n + 1] = (1 - among) * survival[1 : n + 1] + among * share * survival[:n]
    return survival[1:]


def _summaries(levels: np.ndarray, survival: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The median and the mean, each (settings, resamples); ``survival`` is the probability to be above each level."""
    with np.errstate(invalid="ignore"):
        # Where exactly half is above a level: in the middle of it and the next, as for an even number of values.
        lower, upper = (np.argmax(survival <= 0.5 + sign * _ROUNDING, axis=-1) for sign in (1, -1))
        medians = np.where(lower == upper, levels[lower], (levels[lower] + levels[upper]) / 2)
    finite = np.isfinite(levels)
    if not finite.any():
        return medians, medians
    means = levels[finite][0] + survival[..., finite][..., :-1] @ np.diff(levels[finite])
    means = np.where(survival[..., finite][..., -1] > 0, math.inf, means)
    if levels[0] == -math.inf:
        means = np.where(survival[..., 0] < 1, -math.inf, means)
    return medians, means


def _ends(values: np.ndarray, levels: np.ndarray) -> list[list[tuple[float | None, float | None]]]:
    """The ends of the intervals of the medians, and of the means."""
    settings, seeds = values.shape
    if len(levels) > _LEVELS:
        # Rounded to few levels, closer ones for better values; the error is far below the spread of the seeds.
        even, fine = np.linspace(1, len(levels), _LEVELS // 2), np.geomspace(1, len(levels), _LEVELS // 2)
        kept = np.unique(np.concatenate([even, fine]).round().astype(int)) - 1
        places = np.searchsorted((kept[1:] + kept[:-1]) / 2, np.searchsorted(levels, values))
        levels = levels[kept]
        values = levels[places]
    one = settings**2 * len(levels)
    resamples = int(np.clip(_WORK // one, *_RESAMPLES))
    counts = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples).astype(float)
    chunks = np.array_split(counts, math.ceil(resamples * settings * len(levels) / _CHUNK))
    found = [_summaries(levels, _survival(_above(values, levels, chunk))) for chunk in chunks if len(chunk)]
    return [[resampled_ends(row, seeds) for row in np.concatenate(parts, axis=1)] for parts in zip(*found, strict=True)]
