"""The Kullback-Leibler divergence from data to a model with a density, which maximum likelihood minimises."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganbench.core.errors import NotApplicableError


@dataclass(frozen=True)
class KL:
    """KL(data || model) in nats, infinite where the model's density is 0 at a data point, and its standard error."""

    value: float
    se: float


def kl(log_data: np.ndarray, log_model: np.ndarray) -> KL:
    """The mean of log p - log q over held-out data, shapes (n,): the log-densities of data and model there.

    Not clipped: near 0 the estimate is below 0 as often as above. Raises ValueError where the shapes differ or a
    density is not a number, and NotApplicableError for fewer than 2 points.
    """
    log_data, log_model = np.asarray(log_data, dtype=np.float64), np.asarray(log_model, dtype=np.float64)
    if log_data.ndim != 1 or log_data.shape != log_model.shape:
        raise ValueError(
            f"log-densities of data and model must both have the shape (n,), not {log_data.shape} and {log_model.shape}"
        )
    if len(log_data) < 2:
        raise NotApplicableError(f"a mean log-density needs 2 held-out points, and was given {len(log_data)}")
    if not np.isfinite(log_data).all() or np.isnan(log_model).any() or (log_model == np.inf).any():
        raise ValueError("a log-density of the data is not finite, or one of the model is not a number below infinity")
    if np.isneginf(log_model).any():
        return KL(math.inf, math.nan)
    difference = log_data - log_model
    return KL(float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(difference))))
