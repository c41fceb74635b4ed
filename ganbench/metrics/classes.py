"""Which classes samples belong to, and how evenly: modes that a classifier distinguishes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from scipy.special import rel_entr


@dataclass(frozen=True)
class ClassCount:
    """How samples cover classes; ``total``: how many classes the data has.

    ``covered``: classes with at least one sample; ``kl``: KL(generator || data) of the classes' shares, in nats,
    infinite without a sample. ``expected_covered`` and ``expected_kl``: the expectations of both for as many samples of
    the data itself, whose counts fluctuate, too; ``expected_kl`` is about (total - 1) / 2n.
    """

    total: int
    covered: int
    kl: float
    expected_covered: float
    expected_kl: float


def count_classes(labels: np.ndarray, shares: np.ndarray) -> ClassCount:
    """Count ``labels``, (n,), whole numbers from 0, against the data's ``shares`` of the classes, (classes,).

    Labels below 0 belong to no class and are not counted. Raises ValueError where there are no labels, or one is too
    large.
    """
    labels, shares = np.asarray(labels), np.asarray(shares, dtype=np.float64)
    if labels.ndim != 1 or not len(labels) or labels.max() >= len(shares):
        raise ValueError(f"labels must be a list of classes below {len(shares)}")
    counts = np.bincount(labels[labels >= 0], minlength=len(shares))
    found = int(counts.sum())
    covered, kl = _expected(tuple(zip(*_distinct(shares), strict=True)), len(labels))
    return ClassCount(
        total=int((shares > 0).sum()),
        covered=int((counts > 0).sum()),
        kl=max(float(rel_entr(counts / found, shares).sum()), 0.0) if found else math.inf,
        expected_covered=covered,
        expected_kl=kl,
    )


def _distinct(shares: np.ndarray) -> tuple[list[float], list[int]]:
    values, number = np.unique(shares[shares > 0], return_counts=True)
    return values.tolist(), number.tolist()


@lru_cache(maxsize=16)
def _expected(shares: tuple[tuple[float, int], ...], n: int) -> tuple[float, float]:
    """The expected number of classes that ``n`` samples of the data cover, and their expected KL; both exact.

    The counts are binomial. ``shares``: pairs of a share and the number of classes that have it.
    """
    covered = kl = 0.0
    for share, number in shares:
        mean = n * share
        # The counts outside are less likely than 1e-20.
        reach = 10 * math.sqrt(mean) + 40
        count = np.arange(max(math.floor(mean - reach), 0), min(math.ceil(mean + reach), n) + 1)
        probability = scipy.stats.binom.pmf(count, n, share)
        covered += number * (1 - (1 - share) ** n)
        kl += number * float((probability * rel_entr(count / n, share)).sum())
    return covered, max(kl, 0.0)
