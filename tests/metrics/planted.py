"""Generators that fail in a known way, with their densities, so that their divergence from the data is known too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from ganbench.data.mixture import Mixture

ANGLES = 2 * np.pi * np.arange(8) / 8
RING = Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02)
GRID = Mixture([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], 0.05)


@dataclass(frozen=True)
class Planted:
    """``sample(random, n)`` gives (n, 2), ``log_density(x)`` (n,), as a Mixture's."""

    sample: Callable[[np.random.Generator, int], np.ndarray]
    log_density: Callable[[np.ndarray], np.ndarray]


def of_mixture(mixture: Mixture) -> Planted:
    def sample(random: np.random.Generator, n: int) -> np.ndarray:
        mode = random.choice(mixture.modes, n, p=mixture.weights)
        return mixture.means[mode] + mixture.std[mode, None] * random.standard_normal((n, mixture.dimension))

    return Planted(sample, mixture.log_density)


def narrowed(mixture: Mixture, factor: float) -> Planted:
    return of_mixture(Mixture(mixture.means, list(mixture.std * factor)))


def without(mixture: Mixture, lost: int) -> Planted:
    return of_mixture(Mixture(mixture.means[lost:], list(mixture.std[lost:])))


def memoriser(mixture: Mixture, points: int, jitter: float) -> Planted:
    """``points`` draws from the mixture, learnt by heart but for ``jitter`` std."""
    learnt = of_mixture(mixture).sample(np.random.default_rng(99), points)
    return of_mixture(Mixture(learnt, float(mixture.std[0]) * jitter))


def donuts(mixture: Mixture, middle: float = math.sqrt(2), thickness: float = 0.25) -> Planted:
    """A ring in place of each mode, of radius N(middle, thickness) std: at sqrt 2 the variance is nearly right."""
    std = float(mixture.std[0])

    def sample(random: np.random.Generator, n: int) -> np.ndarray:
        mode, radius, angle = random.integers(0, mixture.modes, n), random.normal(middle, thickness, n), turn(random, n)
        return mixture.means[mode] + std * np.abs(radius)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def log_density(x: np.ndarray) -> np.ndarray:
        radius = np.linalg.norm(x[:, None, :] - mixture.means, axis=2) / std
        each = norm(middle, thickness).logpdf(radius) - np.log(2 * np.pi * radius * std**2)
        return np.asarray(logsumexp(each, axis=1) - math.log(mixture.modes))

    return Planted(sample, log_density)


def circle(radius: float, std: float) -> Planted:
    """Filaments between the modes of a ring: the circle through them, as thick as they are."""

    def sample(random: np.random.Generator, n: int) -> np.ndarray:
        angle = turn(random, n)
        return random.normal(radius, std, n)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def log_density(x: np.ndarray) -> np.ndarray:
        distance = np.linalg.norm(x, axis=1)
        return np.asarray(norm(radius, std).logpdf(distance) - np.log(2 * np.pi * distance))

    return Planted(sample, log_density)


def rows(places: tuple[float, ...], std: float) -> Planted:
    """Filaments between the modes of a grid: its horizontal lines, as thick as they are."""
    first, last = places[0] - 3 * std, places[-1] + 3 * std

    def sample(random: np.random.Generator, n: int) -> np.ndarray:
        return np.column_stack([random.uniform(first, last, n), random.normal(random.choice(places, n), std)])

    def log_density(x: np.ndarray) -> np.ndarray:
        across = logsumexp(norm(np.array(places), std).logpdf(x[:, 1:]), axis=1) - math.log(len(places))
        inside = (x[:, 0] >= first) & (x[:, 0] <= last)
        return np.where(inside, across - math.log(last - first), -np.inf)

    return Planted(sample, log_density)


def both(most: Planted, some: Planted, share: float) -> Planted:
    """``some`` with probability ``share``, else ``most``."""

    def sample(random: np.random.Generator, n: int) -> np.ndarray:
        return np.where(random.random(n)[:, None] < share, some.sample(random, n), most.sample(random, n))

    def log_density(x: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.logaddexp(math.log(1 - share) + most.log_density(x), math.log(share) + some.log_density(x))
        )

    return Planted(sample, log_density)


def divergence(p: Planted, q: Planted, n: int = 20_000) -> tuple[float, float]:
    """The Jensen-Shannon divergence in nats, from both densities at ``n`` samples of each, and its standard error."""
    random = np.random.default_rng(7)

    def side(own: Planted, other: Planted) -> np.ndarray:
        x = own.sample(random, n)
        # log(own / ((own + other) / 2)), finite where the other has no density at all.
        return np.asarray(math.log(2) - np.logaddexp(0.0, other.log_density(x) - own.log_density(x)))

    parts = np.array([side(p, q), side(q, p)])
    return float(parts.mean()), float(np.sqrt(parts.var(axis=1).sum() / n) / 2)


def turn(random: np.random.Generator, n: int) -> np.ndarray:
    return np.asarray(random.uniform(0, 2 * np.pi, n))
