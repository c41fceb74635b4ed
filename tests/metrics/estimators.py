"""Estimators of the Jensen-Shannon divergence, ours and others', all in nats: material of ``estimators_table.py``."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import LOG2, jsds
from ganbench.metrics.jsd_lower_bound import lower_bound
from ganbench.metrics.jsd_neighbours import neighbour_jsd

BINS = 64
EPOCHS = 200  # of the package's 10,000, each a step; it stops when 1,000 bring nothing, which are two minutes at least


def from_the_density(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """Ours, where the data's density is known; ``real`` is not looked at."""
    return jsds(torch.from_numpy(samples)[None], mixture, guard=True)[0].value


def from_neighbours(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """Ours, of samples alone, in one or two dimensions."""
    return neighbour_jsd(samples, real).value


def from_lower_bound(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """Ours, of samples alone, in any dimension: a lower bound."""
    return lower_bound(samples, real).value


def histogram(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """The plug-in of shares of cells, 64 on each axis over the range of both."""
    both = np.concatenate([samples, real])
    edges = [np.linspace(low, high, BINS + 1) for low, high in zip(both.min(0), both.max(0), strict=True)]
    p, q = (np.histogramdd(rows, edges)[0].ravel() / len(rows) for rows in (real, samples))
    middle = (p + q) / 2
    return float(sum((a[a > 0] * np.log(a[a > 0] / middle[a > 0])).sum() / 2 for a in (p, q)))


def polygraph(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """PolyGraph's bound (Krimmel et al. 2025, arXiv:2510.06122), squared, of the coordinates as its one descriptor.

    A classifier is fitted to a random half of each; on the other half the mean log-probability of the right side bounds
    the divergence. Its classifier is TabPFN, whose weights are fetched from a network; here it is boosted trees.
    """
    random = np.random.default_rng(0)
    halves = [np.array_split(random.permutation(rows), 2) for rows in (real, samples)]
    (x, x_test), (y, y_test) = halves
    rows = np.concatenate([x, y])
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit((rows - centre) / spread, np.arange(len(rows)) < len(x))
    right, wrong = (model.predict_proba((each - centre) / spread)[:, 1] for each in (x_test, y_test))
    tiny = 1e-10
    bits = (np.log2(right + tiny).mean() + np.log2(1 - wrong + tiny).mean() + 2) / 2
    return float(np.clip(bits, 0, 1) * LOG2)


def peer(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """The package jensenshannondivergence 0.1.0: its default discriminator, a network, for fewer epochs."""
    from jensenshannondivergence import estimate_jensen_shannon

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        bits = estimate_jensen_shannon(real, samples, epochs=EPOCHS, seed=0, results_root=folder, verbose=False)
    return float(bits) * LOG2


@dataclass(frozen=True)
class Estimator:
    """``most``: of how many dimensions at most; ``seeds``: how often it is measured, fewer where it takes long.

    ``needs``: a package that not everybody has; ``pairs``: those that it is measured on, if not on all.
    """

    name: str
    estimate: Callable[[np.ndarray, np.ndarray, Mixture], float]
    most: int
    seeds: int
    needs: str = ""
    pairs: tuple[str, ...] = ()


SLOW = ("ring itself", "ring drop 1", "ring shift 1", "line shift 1", "10-D shift 1")
ESTIMATORS = (
    Estimator("ours, density", from_the_density, 2, 20),
    Estimator("ours, neighbours", from_neighbours, 2, 20),
    Estimator("ours, lower bound", from_lower_bound, 64, 20),
    Estimator("histogram", histogram, 2, 20),
    Estimator("PolyGraph, trees", polygraph, 64, 6),
    Estimator("jensenshannondivergence", peer, 64, 2, "jensenshannondivergence", SLOW),
)
