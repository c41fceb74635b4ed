"""Features of a sample from fitted Gaussians, by which a regression tells data from a generator.

Space is split into clusters, or the classes of a known mixture. In each, one Gaussian is fitted to both samples
together and one to each of them. The features of a row are its cluster, its whitened coordinates z in the pooled
Gaussian with r, r^2, z^2 and log-density, and log-ratios of data to generator: of their shares of the cluster, in the
Gaussians of the clusters, and in a single Gaussian each.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.utils.extmath import randomized_svd  # type: ignore[import-untyped]

from ganbench.data.mixture import Mixture
from ganbench.metrics.points import SEED

REACH = 64  # dimensions that Gaussians are fitted in; of the others only the distance in them is used
CLUSTERS, ROWS = 10, 50  # the most clusters, and the fewest rows in each on average
CLASSES = 64  # the most modes of a mixture that are used as classes; with more modes clusters are used
FAR = 20.0  # coordinates are clipped at so many standard deviations of the data, log-ratios at so many nats
RATIOS = 3  # the last columns are log-ratios

Places = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, list[np.ndarray]]]


class Features:
    """Features fitted to rows ``real`` (a, d) and ``fake`` (b, d), both finite, to be computed for other rows."""

    def __init__(self, real: np.ndarray, fake: np.ndarray, mixture: Mixture | None = None) -> None:
        self._frame = _Frame(real, fake)
        x, y = self._frame(real), self._frame(fake)
        both = np.concatenate([x, y])
        known = mixture is not None and mixture.modes <= CLASSES
        self._places, classes = _modes(mixture) if known and mixture is not None else _clusters(both)
        in_x, in_y = self._places(real, x)[0], self._places(fake, y)[0]
        self._pooled = _Gaussians(both, np.concatenate([in_x, in_y]), classes)
        shares = [(np.bincount(place, minlength=classes) + 1) / len(place) for place in (in_x, in_y)]
        self._shares = np.log(shares[0] / shares[1])
        self._pairs = (
            (_Gaussians(x, in_x, classes), _Gaussians(y, in_y, classes)),
            (_Gaussians(x, 0 * in_x, 1), _Gaussians(y, 0 * in_y, 1)),
        )

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n, d) -> (n, features), finite."""
        x = self._frame(rows)
        place, exact = self._places(rows, x)
        log_density, z = self._pooled(x, place)
        z = np.clip(z, -8, 8)
        r2 = np.minimum((z**2).mean(axis=1), FAR)
        height = np.maximum(log_density, self._pooled.lowest) / z.shape[1]
        columns = [np.eye(len(self._pooled.means))[place], height, np.sqrt(r2), r2, z, z**2, *exact]
        columns.append(self._shares[place])
        for (real, fake), where in zip(self._pairs, (place, 0 * place), strict=True):
            columns.append(np.clip(real(x, where)[0] - fake(x, where)[0], -FAR, FAR))
        return np.column_stack(columns)


class _Frame:
    """Rows in units of the data, clipped at 20; of more than 64 dimensions, 64 and the distance in the others."""

    def __init__(self, real: np.ndarray, fake: np.ndarray) -> None:
        self._centre = real.mean(axis=0)
        self._unit = math.sqrt(float(((real - self._centre) ** 2).mean())) or 1.0
        self._axes: np.ndarray | None = None
        if real.shape[1] > REACH:
            both = np.concatenate([self(real), self(fake)])
            self._middle = both.mean(axis=0)
            self._axes = randomized_svd(both - self._middle, min(REACH, len(both) // 2), random_state=SEED)[2]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        x = np.clip((rows - self._centre) / self._unit, -FAR, FAR)
        if self._axes is None:
            return np.asarray(x)
        x -= self._middle
        within = x @ self._axes.T
        out = (x**2).sum(axis=1) - (within**2).sum(axis=1)
        return np.column_stack([within, np.log(np.maximum(out, 1e-6))])


class _Gaussians:
    """A weighted Gaussian in each of ``classes`` classes of the rows (n, d); ``place``, (n,): the class of each row.

    Covariances are shrunk towards their diagonals, as if by d more rows, and these towards the diagonal of all classes.
    """

    def __init__(self, rows: np.ndarray, place: np.ndarray, classes: int) -> None:
        n, d = rows.shape
        self.means = np.zeros((classes, d))
        self._whiten = np.zeros((classes, d, d))
        self._constant = np.full(classes, -1e6)  # in place of log 0, for a class without rows
        parts = [rows[place == c] for c in range(classes)]
        scatters = [(part - part.mean(axis=0)).T @ (part - part.mean(axis=0)) if len(part) else 0.0 for part in parts]
        variances = np.diag(sum(scatters, np.zeros((d, d)))) / n
        for c, (part, scatter) in enumerate(zip(parts, scatters, strict=True)):
            if len(part):
                own = (np.diag(scatter) + d * variances) / (len(part) + d)
                covariance = (scatter + d * np.diag(own)) / (len(part) + d)
                values, axes = np.linalg.eigh(covariance + 1e-6 * np.eye(d))
                self.means[c] = part.mean(axis=0)
                self._whiten[c] = axes / np.sqrt(values) @ axes.T
                self._constant[c] = math.log(len(part) / n) - np.log(2 * math.pi * values).sum() / 2

        self.lowest = self._constant[self._constant > -1e6].min() - d * FAR / 2

    def __call__(self, rows: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each row's log-density in the Gaussian of its class, (n,), and its whitened coordinates, (n, d)."""
        z = np.empty_like(rows)
        for c in np.unique(place):
            here = place == c
            z[here] = (rows[here] - self.means[c]) @ self._whiten[c]
        return self._constant[place] - (z**2).sum(axis=1) / 2, z


def _clusters(rows: np.ndarray) -> tuple[Places, int]:
    """Clusters of the framed rows by k-means, and the number of clusters."""
    means = KMeans(max(min(CLUSTERS, len(rows) // ROWS), 1), n_init=1, max_iter=30, random_state=SEED)
    with warnings.catch_warnings():  # fewer distinct rows than clusters, or not converged: any split is good enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        means.fit(rows)
    return lambda _, x: (np.asarray(means.predict(x)), []), means.n_clusters


def _modes(mixture: Mixture) -> tuple[Places, int]:
    """The likeliest mode of a row, with its exact log-density, r and r^2 in that mode, and how many modes there are."""
    d = mixture.dimension
    lowest = (np.log(mixture.weights) / d - np.log(mixture.std * math.sqrt(2 * math.pi))).min() - FAR / 2

    def places(rows: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        with np.errstate(over="ignore"):
            squares = [((rows - m) ** 2).sum(axis=1) / s**2 for m, s in zip(mixture.means, mixture.std, strict=True)]
        log = np.log(mixture.weights / mixture.std**d) - np.transpose(squares) / 2
        place = log.argmax(axis=1)
        r2 = np.minimum(np.transpose(squares)[np.arange(len(rows)), place] / d, FAR)
        return place, [np.maximum(mixture.log_density(rows) / d, lowest), np.sqrt(r2), r2]

    return places, mixture.modes
