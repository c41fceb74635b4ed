"""Pairs of data and generator whose divergence is known from their densities: material for the coverage test.

A ``Law`` is a weighted sum of ``Part``s; a part is a standard shape (Gaussian, skewed, heavy-tailed, box, filament,
donut) moved and stretched by a matrix. Each knows its density and its quantiles, so that the divergence of two laws
is an integral over the unit square, done here at scrambled Sobol points, with the standard error of its scrambles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc, t

from ganbench.data.mixture import Mixture

LOG2 = math.log(2)
ROOT = math.sqrt(2 * math.pi)
Array = np.ndarray


@dataclass(frozen=True)
class Shape:
    """A standard law: from uniform numbers (n, d) to points (n, d), and the log-density of points, (n,)."""

    point: Callable[[Array], Array]
    log_density: Callable[[Array], Array]


def _normal(z: Array) -> Array:
    return -0.5 * z**2 - math.log(ROOT)


def _product(*sides: tuple[Callable[[Array], Array], Callable[[Array], Array]]) -> Shape:
    def point(u: Array) -> Array:
        return np.column_stack([quantile(u[:, i]) for i, (quantile, _) in enumerate(sides)])

    def log_density(x: Array) -> Array:
        return sum(density(x[:, i]) for i, (_, density) in enumerate(sides))

    return Shape(point, log_density)


NORMAL = (ndtri, _normal)
BOX = (lambda u: u - 0.5, lambda x: np.where(np.abs(x) <= 0.5, 0.0, -np.inf))


def skewed(by: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Sinh-arcsinh of a normal number (Jones & Pewsey 2009)."""

    def log_density(x: Array) -> Array:
        turned = np.arcsinh(x) - by
        return _normal(np.sinh(turned)) + np.log(np.cosh(turned)) - 0.5 * np.log1p(x**2)

    return (lambda u: np.sinh(np.arcsinh(ndtri(u)) + by), log_density)


def heavy(degrees: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Student's t."""
    return (lambda u: t.ppf(u, degrees), lambda x: t.logpdf(x, degrees))


def donut(width: float) -> Shape:
    """A radius of exp(width * normal), any angle."""

    def point(u: Array) -> Array:
        radius, angle = np.exp(width * ndtri(u[:, 0])), 2 * np.pi * u[:, 1]
        return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])

    def log_density(x: Array) -> Array:
        log_radius = np.log(np.maximum(np.hypot(*x.T), 1e-300))
        return _normal(log_radius / width) - math.log(width) - 2 * log_radius - math.log(2 * math.pi)

    return Shape(point, log_density)


@dataclass(frozen=True)
class Part:
    """A shape at ``centre``, stretched by ``matrix`` (d, d), with a weight."""

    weight: float
    centre: Array
    matrix: Array
    shape: Shape

    def point(self, u: Array) -> Array:
        return self.centre + self.shape.point(u) @ self.matrix.T

    def log_density(self, x: Array) -> Array:
        inverse, log_volume = self._undone
        return self.shape.log_density((x - self.centre) @ inverse.T) - log_volume

    @cached_property
    def _undone(self) -> tuple[Array, float]:
        return np.linalg.inv(self.matrix), math.log(abs(np.linalg.det(self.matrix)))


class Law:
    """A mixture of parts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.weights = np.array([part.weight for part in parts]) / sum(part.weight for part in parts)

    def log_density(self, x: Array) -> Array:
        """Shape (n, d) -> (n,)."""
        total = np.full(len(x), -np.inf)
        for weight, part in zip(self.weights, self.parts, strict=True):
            total = np.logaddexp(total, np.log(weight) + part.log_density(x))
        return total

    def sample(self, n: int, random: np.random.Generator) -> Array:
        """Shape (n, d), in random order."""
        counts = random.multinomial(n, self.weights)
        d = len(self.parts[0].centre)
        drawn = [
            part.point(random.uniform(1e-15, 1, (count, d))) for part, count in zip(self.parts, counts, strict=True)
        ]
        return random.permutation(np.concatenate(drawn))


def gaussian(mixture: Mixture) -> Law:
    """The data itself as a law."""
    d = mixture.dimension
    return Law(
        [
            Part(weight, mean, std * np.eye(d), _product(*[NORMAL] * d))
            for weight, mean, std in zip(mixture.weights, mixture.means, mixture.std, strict=True)
        ]
    )


class Half:
    """Half of the divergence, seen from one law: a mean over the first of ever more scrambled Sobol points a part."""

    def __init__(self, of: Law, other: Law, seed: int) -> None:
        self._of, self._other = of, other
        self._sobol = [
            qmc.Sobol(len(part.centre), rng=np.random.default_rng([seed, index])) for index, part in enumerate(of.parts)
        ]
        self._sums, self._counts = (np.zeros(len(of.parts)) for _ in range(2))

    def at(self, points: int) -> float:
        """At 2^points Sobol points for an average part; no fewer than the time before."""
        for i, (weight, part) in enumerate(zip(self._of.weights, self._of.parts, strict=True)):
            power = max(points + round(math.log2(weight * len(self._of.parts))), 6)
            more = 2**power - int(self._counts[i])
            if more:
                x = part.point(np.clip(self._sobol[i].random(more), 1e-15, 1 - 1e-15))
                mine = self._of.log_density(x)
                self._sums[i] += (LOG2 + mine - np.logaddexp(mine, self._other.log_density(x))).sum()
                self._counts[i] += more
        return float(self._of.weights @ (self._sums / self._counts)) / 2


def truth(p: Law, q: Law, within: float = 1e-4) -> tuple[float, float]:
    """The divergence in nats and its standard error, of at most ``within``: more points are taken until it is so."""
    scrambles = 8  # which tell an error only roughly
    pairs = [(Half(p, q, seed), Half(q, p, seed)) for seed in range(scrambles)]
    for points in range(11, 19):
        values = [sum(half.at(points) for half in pair) for pair in pairs]
        error = float(np.std(values, ddof=1) / math.sqrt(scrambles))
        if error <= within / 3:
            return float(np.mean(values)), error
    raise RuntimeError(f"the divergence is known only to {error:.2g}")


# --- the pairs ---------------------------------------------------------------------------------------------------


def random_data(random: np.random.Generator) -> tuple[str, Mixture]:
    """A ring, a grid, a line or scattered modes (some of unequal weights and widths), or overlapping ones."""
    kind = str(random.choice(["ring", "grid", "line", "scattered", "overlapping"]))
    if kind == "ring":
        modes, radius = int(random.integers(4, 13)), random.uniform(1, 4)
        angle = 2 * np.pi * (np.arange(modes) + random.random()) / modes
        return kind, Mixture(
            radius * np.column_stack([np.cos(angle), np.sin(angle)]), radius * random.uniform(0.01, 0.03)
        )
    if kind == "grid":
        side, spacing = int(random.integers(2, 6)), random.uniform(0.5, 3)
        steps = spacing * (np.arange(side) - (side - 1) / 2)
        return kind, Mixture(
            np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2), spacing * random.uniform(0.02, 0.06)
        )
    if kind == "line":
        modes = int(random.integers(1, 7))
        means = np.cumsum(random.uniform(2, 5, modes))[:, None]
        return kind, Mixture(means, random.uniform(0.05, 0.3, modes), random.uniform(0.3, 1, modes))
    modes = int(random.integers(1, 10))
    if kind == "scattered":
        places = random.permutation(16)[:modes]
        means = 3.0 * np.column_stack([places // 4, places % 4]) + random.uniform(-0.3, 0.3, (modes, 2))
        return kind, Mixture(means, random.uniform(0.05, 0.19, modes), random.uniform(0.3, 1, modes))
    modes = int(random.integers(2, 6))
    return kind, Mixture(
        random.uniform(0, 4, (modes, 2)), random.uniform(0.4, 1.2, modes), random.uniform(0.3, 1, modes)
    )


FAMILIES = [
    "itself", "moved", "scaled", "reweighted", "dropped", "background", "donuts", "skewed", "heavy", "filaments",
    "flattened", "split", "everything",
]  # fmt: skip


def random_generator(family: str, p: Mixture, random: np.random.Generator) -> Law:
    """A generator that has the data wrong in the way of ``family``."""
    d, modes = p.dimension, p.modes
    normal = _product(*[NORMAL] * d)
    weights, means, std = p.weights.copy(), p.means.copy(), p.std.copy()
    matrices = std[:, None, None] * np.eye(d)
    shapes: list[Shape] = [normal] * modes
    extra: list[Part] = []
    everything = family == "everything"
    if family == "moved" or everything:
        means = means + std[:, None] * random.uniform(0.1, 1.2) * random.standard_normal((modes, d))
    if family == "scaled" or everything:
        matrices = matrices * np.exp(random.uniform(-0.9, 0.9, (modes, 1, 1)))
    if family == "reweighted" or everything:
        weights = random.dirichlet(np.full(modes, random.uniform(0.5, 3)))
    if family == "dropped" and modes > 1:
        weights[random.permutation(modes)[: random.integers(1, modes)]] = 0.0
    if family == "flattened" and d == 2:
        angle, squeeze = random.uniform(0, np.pi, modes), random.uniform(0.4, 0.8)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
        matrices = std[:, None, None] * turn @ np.diag([squeeze, 1.2])
    if family == "donuts" and d == 2:
        shapes = [donut(random.uniform(0.15, 0.4))] * modes
        matrices = matrices * random.uniform(0.7, 1.6)
    if family == "skewed" or (everything and random.random() < 0.5):
        shapes = [_product(*[skewed(random.uniform(-0.6, 0.6)) for _ in range(d)]) for _ in range(modes)]
    if family == "heavy" or (family in ("donuts", "flattened") and d == 1):
        shapes = [_product(*[heavy(random.uniform(2, 6))] * d)] * modes
    if family == "background" or everything:
        low, high = means.min(axis=0) - 4 * std.max(), means.max(axis=0) + 4 * std.max()
        extra.append(Part(random.uniform(0.02, 0.3), (low + high) / 2, np.diag(high - low), _product(*[BOX] * d)))
    if family == "filaments" and d == 2 and modes > 1:
        for _ in range(int(random.integers(1, 5))):
            a, b = means[random.permutation(modes)[:2]]
            along = b - a
            across = np.array([-along[1], along[0]]) / np.hypot(*along) * std.min() * random.uniform(0.3, 1)
            extra.append(
                Part(random.uniform(0.02, 0.15), (a + b) / 2, np.column_stack([along, across]), _product(BOX, NORMAL))
            )
    elif family in ("filaments", "split") or (family == "dropped" and modes == 1):
        for i in range(modes):
            offset = std[i] * random.normal(0, 1, d)
            extra.append(Part(weights[i] * random.uniform(0.2, 1), means[i] + offset, matrices[i] * 0.7, normal))
    kept = [Part(w, m, s, k) for w, m, s, k in zip(weights, means, matrices, shapes, strict=True) if w > 0]
    return Law(kept + extra)


def random_pairs(seed: int, count: int) -> list[tuple[str, Mixture, Law]]:
    """``count`` pairs: a name, the data, the generator. The families come in turn, the data at random."""
    random = np.random.default_rng(seed)
    pairs = []
    for i in range(count):
        kind, p = random_data(random)
        family = FAMILIES[i % len(FAMILIES)]
        pairs.append((f"{kind} {p.modes}: {family}", p, random_generator(family, p, random)))
    return pairs
