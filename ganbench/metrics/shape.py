"""The shape of each of a generator's modes: where it is, how wide, how round, and whether its middle is filled.

Counts of modes and shares of "high quality" cannot tell a mode from a point, a line or a ring in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ganbench.data.mixture import Mixture
from ganbench.metrics.mass import stray_radius
from ganbench.metrics.modes import nearest_mode
from ganbench.metrics.points import finite

FEWEST = 20  # samples in a mode; at least five for each dimension, too
FLAT = 1e-12  # of the mode's variance: a smaller variance is below the rounding of float32


@dataclass(frozen=True)
class Shapes:
    """The modes that have enough samples, shape (modes - left_out,) each; ``left_out``: how many do not.

    ``centre``: distance between the samples' centre and the mode's, in std of the mode; 0 at best. ``variance``: total
    variance of the samples over the mode's; 1 at best. ``smallest``: the variance in the direction where it is
    smallest, over the mode's; nearly 1 at best, and 0 for a mode that is only a line. ``radial``: Kolmogorov-Smirnov
    distance, from 0 to 1, between the samples' squared Mahalanobis radii about their own centre and chi-square; in two
    dimensions about 0.6 / sqrt(n) for n samples of a Gaussian, 0.63 for a thin ring.
    """

    centre: np.ndarray
    variance: np.ndarray
    smallest: np.ndarray
    radial: np.ndarray
    left_out: int


def shapes(samples: np.ndarray, mixture: Mixture) -> Shapes:
    """Measure each mode of ``mixture`` in the samples nearest to it, ``samples`` of shape (n, dimension).

    A mode's samples are those within 5 std (``mass.stray_radius``) of the median of all samples nearest to it, so that
    scattered points do not count as its width; ``mass`` counts those, and rows that are not finite. Where the samples'
    median distance from there is larger than the mode's own, the radius is larger by the same factor. Raises ValueError
    where the shapes do not match.
    """
    mode, _ = nearest_mode(samples, mixture)
    points, fewest = finite(np.asarray(samples, dtype=np.float64)), max(FEWEST, 5 * mixture.dimension)
    radius, middle = stray_radius(mixture.dimension), float(scipy.stats.chi(mixture.dimension).median())
    found = []
    for k in range(mixture.modes):
        own = (points[mode == k] - mixture.means[k]) / mixture.std[k]
        if len(own) >= fewest:
            distance = scipy.spatial.distance.cdist(own, np.median(own, axis=0, keepdims=True))[:, 0]
            own = own[distance <= radius * max(1.0, float(np.median(distance)) / middle)]
        if len(own) >= fewest:
            found.append(_shape(own))
    centre, variance, smallest, radial = np.array(found).reshape(-1, 4).T
    return Shapes(centre, variance, smallest, radial, left_out=mixture.modes - len(found))


def _shape(points: np.ndarray) -> tuple[float, float, float, float]:
    n, dimension = points.shape
    centre = points.mean(axis=0)
    points = points - centre
    variances, axes = np.linalg.eigh(points.T @ points / (n - 1))
    if variances[0] > FLAT:
        squared = np.sort(((points @ axes) ** 2 / variances).sum(axis=1))
        below, rank = scipy.stats.chi2(dimension).cdf(squared), np.arange(n + 1) / n
        radial = float(max((rank[1:] - below).max(), (below - rank[:-1]).max()))
    else:
        radial = 1.0  # no density at all
    return float(np.linalg.norm(centre)), float(variances.mean()), float(max(variances[0], 0.0)), radial
