"""How wide samples are spread and how far they are from the data: whether they have collapsed or gone away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganbench.data.mixture import Mixture
from ganbench.metrics.points import as_points, finite


@dataclass(frozen=True)
class Spread:
    """``spread``: the samples' total std about their own mean, over the data's; ``offset``: distance of the means.

    ``offset`` is in units of the data's total std. Both are those of the finite samples; they are None where more than
    half of the samples are not finite, or the data is a single point.
    """

    spread: float | None
    offset: float | None


def spread(samples: np.ndarray, data: Mixture | np.ndarray) -> Spread:
    """Compare samples (n, *shape) with a mixture, whose moments are known, or with real samples (m, *shape)."""
    everything = as_points(samples)
    centre, scale = _mixture(data) if isinstance(data, Mixture) else _sample(as_points(data))
    points = finite(everything)
    if 2 * len(points) < len(everything) or not scale > 0:
        return Spread(None, None)
    mean, variance = _moments((points - centre) / scale)
    return Spread(math.sqrt(variance), float(np.linalg.norm(mean)))


def _mixture(data: Mixture) -> tuple[np.ndarray, float]:
    centre = data.weights @ data.means
    variances = ((data.means - centre) ** 2).sum(axis=1) + data.dimension * data.std**2
    return np.asarray(centre), float(np.sqrt(data.weights @ variances))


def _sample(data: np.ndarray) -> tuple[np.ndarray, float]:
    centre, variance = _moments(data)
    return centre, math.sqrt(variance)


def _moments(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean and the total variance of points (n, d)."""
    # Matrix products are many times as fast as reductions over few columns.
    mean = np.ones(len(points)) @ points / len(points)
    apart = points - mean
    return mean, float(np.vdot(apart, apart)) / len(points)
