"""Whether a generator repeats its training points, or itself.

Copies of the training points are found after Meehan et al. 2020 ("A non-parametric test to detect data-copying in
generative models", arXiv:2004.05675): samples should be no closer to the training points than held-out data is.

Data may repeat by itself: the share of it that does is set aside, and counts for nothing among the samples either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import is_finite, nearest, nearest_other, sample_and_real, shuffled

CLOSE = 0.01  # the share of the data's own that is called close
REPEATS = 0.5  # the share of the data that may repeat; where more does, repeats among the samples say nothing


@dataclass(frozen=True)
class Copies:
    """How close samples are to the training points, beside held-out data.

    ``copied``: share of the samples closer to a training point than all but 1 % of the held-out data are; 0.01 for the
    data itself. ``z``: the Mann-Whitney statistic of the distances, the paper's C_T over the whole space; standard
    normal for the data itself, below -3 for copies, and positive for what is far from all data.
    """

    copied: float
    z: float


def copies(samples: np.ndarray, real: np.ndarray, training: np.ndarray, most: int = 5000) -> Copies:
    """Compare the distances to the nearest of ``training`` of ``samples`` and of held-out ``real``, (n, *shape) each.

    At most ``most`` of each, a fixed random choice; all of ``training``. Samples that are not finite are copies of
    nothing and infinitely far. Raises NotApplicableError where most of ``real`` equals training points, as where none
    is held out, and ValueError where the shapes differ or ``real`` or ``training`` is not finite.
    """
    points, data = sample_and_real(samples, real)
    points, data = shuffled(points, most), shuffled(data, most)
    given = sample_and_real(points, training)[1]
    apart = np.full(len(points), np.inf)
    usable = is_finite(points)
    if usable.any():
        apart[usable] = _to(given, points[usable])
    usual = _to(given, data)
    return Copies(copied=_closer(apart, usual, "equal training points"), z=mann_whitney(apart, usual))


def near_duplicates(samples: np.ndarray, real: np.ndarray, most: int = 5000) -> float:
    """The share of ``samples`` closer to another sample than all but 1 % of ``real`` are to another real point.

    Shapes (n, *shape), flattened; as many of each, at most ``most``, a fixed random choice. 0.01 for the data itself;
    nearly 1 for a generator that repeats few points with a small jitter; some for one that is too narrow or leaves
    modes out, since its samples are closer together. Samples that are not finite count as duplicates of each other.
    Raises NotApplicableError where fewer than 2 of either are there or most of ``real`` repeats other real points, and
    ValueError where the shapes differ or ``real`` is not finite.
    """
    points, data = sample_and_real(samples, real)
    n = min(len(points), len(data), most)
    if n < 2:
        raise NotApplicableError("near duplicates need 2 samples and 2 real points")
    points, data = shuffled(points, n), shuffled(data, n)
    apart = np.zeros(n)
    usable = is_finite(points)
    apart[usable] = _to_another(points[usable])
    return _closer(apart, _to_another(data), "repeat others")


def mann_whitney(x: np.ndarray, y: np.ndarray) -> float:
    """The Mann-Whitney U of ``x`` above ``y``, (n,) and (m,), as a standard normal z, corrected for ties."""
    n, m = len(x), len(y)
    both = np.concatenate([x, y])
    u = rankdata(both)[:n].sum() - n * (n + 1) / 2
    ties = np.unique(both, return_counts=True)[1].astype(np.float64)
    variance = n * m / 12 * (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1)))
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def _closer(apart: np.ndarray, usual: np.ndarray, what: str) -> float:
    """The share of distances ``apart`` below all but 1 % of the data's ``usual`` ones, less those that are 0 there.

    With a share r of the data at distance 0 the 1 % are of the others, and a share s of the samples says
    (s - r)/(1 - r): 0.01 for the data itself, 1 where all samples are close, however much the data repeats.
    """
    r = float((usual == 0).mean())
    if r > REPEATS:
        raise NotApplicableError(f"{100 * r:.3g} % of the real points {what}, so that samples which do say nothing")
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
    """A number for each row, (n, d) -> (n,), the same for equal rows: distances in many dimensions are not so exact."""
    return np.array([hash(row.tobytes()) for row in points + 0.0], dtype=np.int64)  # -0 is 0
