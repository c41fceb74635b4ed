"""Whether a generator repeats its training points, or its own samples.

Copies of the training points are found after Meehan et al. 2020 ("A non-parametric test to detect data-copying in
generative models", arXiv:2004.05675): samples should be no closer to the training points than held-out data is.

The data itself may contain repeats: the share of the data that does is subtracted from the share of the samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import as_rows, is_finite, nearest, nearest_other, sample_and_real

CLOSE = 0.01  # the share of the data's own distances that count as close
REPEATS = 0.5  # the largest share of the data that may repeat; with more, repeats among samples mean nothing


@dataclass(frozen=True)
class Copies:
    """How close samples are to the training points, compared with held-out data.

    ``copied``: share of the samples that are closer to a training point than 99 % of the held-out data are; 0.01 for
    the data itself. ``z``: the Mann-Whitney statistic of the distances, the paper's C_T over the whole space; standard
    normal for the data itself, below -3 for copies, and positive for samples far from all data.
    """

    copied: float
    z: float


def copies(samples: np.ndarray, real: np.ndarray, training: np.ndarray, most: int = 5000) -> Copies:
    """Compare the distances of samples and of held-out data to their nearest training points.

    Samples that are not finite are no copies and infinitely far.

    Args:
        samples: generated samples, (n, *shape).
        real: held-out data, (m, *shape).
        training: the training points, (k, *shape); all are used.
        most: how many samples, and how many of ``real``, are used at most: a fixed random choice.

    Returns:
        The share of copies, and the statistic of the distances.

    Raises:
        NotApplicableError: most of ``real`` equals training points, as where no data is held out.
        ValueError: the shapes differ, or ``real`` or ``training`` is not finite.
    """
    points, data = sample_and_real(samples, real, most)
    # Not as points: there may be many, and they are looked at one after another.
    given = as_rows(training)
    if given.shape[1] != points.shape[1]:
        raise ValueError(f"a sample has {points.shape[1]} coordinates and a training point {given.shape[1]}")
    if not is_finite(given).all():
        raise ValueError("the training points must all be finite")
    apart = np.full(len(points), np.inf)
    usable = is_finite(points)
    if usable.any():
        apart[usable] = _to(given, points[usable])
    usual = _to(given, data)
    return Copies(copied=_closer(apart, usual, "equal training points"), z=mann_whitney(apart, usual))


def near_duplicates(samples: np.ndarray, real: np.ndarray, most: int = 5000) -> float:
    """The share of samples that are closer to another sample than 99 % of the real points are to another real point.

    It is 0.01 for the data itself, and nearly 1 for a generator that repeats few points with a small jitter. It is also
    above 0.01 for a generator that is too narrow or leaves modes out, since its samples are closer together. Samples
    that are not finite count as duplicates of each other.

    Args:
        samples: generated samples, (n, *shape).
        real: real points, (m, *shape).
        most: how many of each are used at most; as many of one as of the other, a fixed random choice.

    Returns:
        The share, 0 to 1.

    Raises:
        NotApplicableError: there are fewer than 2 of either, or most of ``real`` repeats other real points.
        ValueError: the shapes differ, or ``real`` is not finite.
    """
    n = min(len(as_rows(samples)), len(as_rows(real)), most)
    points, data = sample_and_real(samples, real, n)
    if n < 2:
        raise NotApplicableError("near duplicates need 2 samples and 2 real points")
    apart = np.zeros(n)
    usable = is_finite(points)
    apart[usable] = _to_another(points[usable])
    return _closer(apart, _to_another(data), "repeat others")


def mann_whitney(x: np.ndarray, y: np.ndarray) -> float:
    """The Mann-Whitney U of ``x`` above ``y``, (n,) and (m,), as a standard normal z, corrected for ties."""
    n, m = len(x), len(y)
    both = np.concatenate([x, y])
    u = scipy.stats.rankdata(both)[:n].sum() - n * (n + 1) / 2
    ties = np.unique(both, return_counts=True)[1].astype(np.float64)
    variance = n * m / 12 * (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1)))
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def _closer(apart: np.ndarray, usual: np.ndarray, what: str) -> float:
    """The share of the distances ``apart`` that are below the 1 % quantile of the data's ``usual`` distances.

    Where a share r of the data has distance 0, the quantile is that of the other data, and a share s of the samples
    gives (s - r)/(1 - r): 0.01 for the data itself, 1 where all samples are close, however much the data repeats.
    """
    r = float((usual == 0).mean())
    if r > REPEATS:
        raise NotApplicableError(
            f"{100 * r:.3g} % of the real points {what}, so repeats among the samples mean nothing"
        )
    s = float((apart < np.quantile(usual[usual > 0], CLOSE)).mean())
    return max((s - r) / (1 - r), 0.0)


def _to(given: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Each point's distance to the nearest of the given ones, exactly 0 where it is one of them."""
    return np.where(np.isin(_names(points), _names(given)), 0.0, nearest(points, given))


def _to_another(points: np.ndarray) -> np.ndarray:
    """Each point's distance to the nearest other one, exactly 0 where it repeats one."""
    _, place, count = np.unique(_names(points), return_inverse=True, return_counts=True)
    return np.where(count[place] > 1, 0.0, nearest_other(points))


def _names(points: np.ndarray) -> np.ndarray:
    """A number for each row, (n, d) -> (n,), the same for equal rows: distances are not exact in many dimensions."""
    return np.array([hash((row.astype(np.float64) + 0.0).tobytes()) for row in points], dtype=np.int64)  # -0 is 0
