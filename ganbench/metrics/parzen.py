"""Parzen-window log-likelihood, the measure of table 1 in the GAN paper (Goodfellow et al. 2014, arXiv:1406.2661).

A Gaussian is put on each sample, its width is chosen on validation data, and test data is scored (Breuleux et al.
2011). The measure is kept for comparison with the literature, but it is misleading (Theis et al. 2016,
arXiv:1511.01844, section 3.3): in many dimensions the training points, or their k-means centres, score above fresh
samples of the true distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganbench.core.errors import NotApplicableError
from ganbench.metrics.points import distances, finite, sample_and_real

#: The widths tried, in units of the real data's root mean square std over coordinates.
WIDTHS = np.geomspace(1e-3, 1.0, 19)


@dataclass(frozen=True)
class Parzen:
    """Mean log-likelihood of the test data in nats, its standard error over the test points, and the width chosen."""

    log_likelihood: float
    se: float
    width: float


def parzen(samples: np.ndarray, real: np.ndarray, most: int = 2000) -> Parzen:
    """Score real points by a Parzen window on samples.

    One half of the real points chooses the width, the other half is scored. The value depends on how many points
    are used. The Gaussian of a sample that is not finite adds nothing near the data.

    Args:
        samples: generated samples, (n, *shape), flattened.
        real: real points, (m, *shape), flattened.
        most: how many of each are used at most: a fixed random choice.

    Returns:
        The mean log-likelihood in nats, its standard error and the width.

    Raises:
        NotApplicableError: there are fewer than 4 real points, or all are the same.
        ValueError: the shapes differ, or ``real`` is not finite.
    """
    points, data = sample_and_real(samples, real, most)
    half = len(data) // 2
    scale = math.sqrt(float(data.var(axis=0).mean()))
    if half < 2 or not scale > 0:
        raise NotApplicableError(f"a Parzen window needs 4 real points, not all the same, and was given {len(data)}")
    n, points = len(points), finite(points)
    if not len(points):
        return Parzen(-math.inf, math.nan, math.nan)
    validation = distances(data[:half], points)
    width = max(scale * WIDTHS, key=lambda width: _log_densities(validation, width, n, data.shape[1]).mean())
    test = _log_densities(distances(data[half:], points), width, n, data.shape[1])
    return Parzen(float(test.mean()), float(test.std(ddof=1) / math.sqrt(len(test))), float(width))


def _log_densities(apart: np.ndarray, width: float, n: int, dimension: int) -> np.ndarray:
    """Log-densities of points whose distances to the finite ones of ``n`` centres are ``apart``, (m, centres)."""
    exponent = (apart / width) ** 2 / -2
    most = exponent.max(axis=1)
    exponent -= most[:, None]
    # The largest term is 1, so e^-700 adds nothing; smaller numbers take a processor ten times as long.
    total = np.exp(np.maximum(exponent, -700.0, out=exponent), out=exponent).sum(axis=1)
    return np.asarray(most + np.log(total) - math.log(n) - dimension / 2 * math.log(2 * math.pi * width**2))
