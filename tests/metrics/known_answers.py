"""Pairs of data and generator whose divergence is known, and how near to it the estimate must be: material.

The tolerances are those of the estimator's design study, but for "ring shift 3" and what is wider than 5, which are
not in it. Where it has none of a single run leave it four standard deviations or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganbench.data.mixture import Mixture

LOG2 = math.log(2)
N = 10_000
ANGLES = 2 * np.pi * np.arange(8) / 8
RING = Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02)
GRID = Mixture([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], 0.05)
LINE = Mixture([[0.0]], 1.0)
LARGE = Mixture(1000 * RING.means, 1000 * RING.std)


@dataclass(frozen=True)
class Bend:
    """A generator that is a mixture bent: modes dropped, and noise stretched and moved in units of std."""

    drop: int = 0
    stretch: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0

    def sample(self, mixture: Mixture, random: np.random.Generator, n: int = N) -> np.ndarray:
        mode = random.integers(self.drop, mixture.modes, n)
        noise = random.standard_normal((n, mixture.dimension)) * self.stretch[: mixture.dimension]
        noise[:, 0] += self.shift
        return mixture.means[mode] + mixture.std[mode, None] * noise


@dataclass(frozen=True)
class Known:
    """A row: the divergence in nats, the tolerances of the mean of 20 seeds and of each, and whether it is flagged.

    ``flagged`` is None where both are right: the guard may fire, and what it says is nearer to the truth.
    """

    name: str
    mixture: Mixture
    sample: Callable[[Mixture, np.random.Generator], np.ndarray]
    truth: float
    mean: float
    single: float
    flagged: bool | None = False


def broken(mixture: Mixture, random: np.random.Generator) -> np.ndarray:
    """The data with a twentieth not finite."""
    samples = Bend().sample(mixture, random)
    samples[: N // 20, 0] = np.nan
    return samples


def over_all(mixture: Mixture, random: np.random.Generator) -> np.ndarray:
    """One Gaussian with the mean, 0, and the variance of the ring or grid: what many a GAN begins with."""
    return np.sqrt(mixture.means.var(axis=0) + mixture.std[0] ** 2) * random.standard_normal((N, 2))


def _bent() -> list[Known]:
    wide2, wide5, narrow2, narrow5 = (Bend(stretch=(s, s)) for s in (2.0, 5.0, 0.5, 0.2))
    wide15, wide50 = (Bend(stretch=(s, s)) for s in (15.0, 50.0))
    squeezed, thread, points = (Bend(stretch=s) for s in ((0.2, 1.0), (0.02, 1.0), (5e-5, 5e-5)))
    ring_drops = (0.045407, 0.0956, 0.1518, 0.215762, 0.2903, 0.3804, 0.496929)
    grid_drops = ((5, 0.0749), (12, 0.204906), (20, 0.422811))
    rows: list[tuple[str, Mixture, Bend, float, float, float]] = [
        ("ring itself", RING, Bend(), 0.0, 0.002, 0.008),
        ("grid itself", GRID, Bend(), 0.0, 0.002, 0.008),
        *((f"ring drop {i}", RING, Bend(drop=i), truth, 0.002, 0.006) for i, truth in enumerate(ring_drops, 1)),
        *((f"grid drop {i}", GRID, Bend(drop=i), truth, 0.002, 0.005) for i, truth in grid_drops),
        ("ring shift 1", RING, Bend(shift=1.0), 0.111421, 0.003, 0.012),
        ("grid shift 1", GRID, Bend(shift=1.0), 0.111421, 0.003, 0.012),
        ("ring shift 0.5", RING, Bend(shift=0.5), 0.0303, 0.003, 0.012),
        ("grid shift 0.5", GRID, Bend(shift=0.5), 0.0303, 0.003, 0.012),
        ("ring shift 3", RING, Bend(shift=3.0), 0.5268, 0.006, 0.018),
        ("ring wide 2", RING, wide2, 0.173315, 0.004, 0.018),
        ("grid wide 2", GRID, wide2, 0.173315, 0.004, 0.018),
        ("ring wide 5", RING, wide5, 0.481244, 0.004, 0.018),
        ("grid wide 5", GRID, wide5, 0.481244, 0.004, 0.018),
        ("ring wide 15", RING, wide15, 0.642994, 0.003, 0.015),
        ("grid wide 15", GRID, wide15, 0.639564, 0.003, 0.015),
        ("ring wide 50", RING, wide50, 0.680976, 0.003, 0.010),
        ("grid wide 50", GRID, wide50, 0.659254, 0.003, 0.015),
        ("ring narrow 2", RING, narrow2, 0.173315, 0.004, 0.010),
        ("ring narrow 5", RING, narrow5, 0.4813, 0.010, 0.015),
        ("ring squeezed 5", RING, squeezed, 0.3028, 0.010, 0.020),
        ("grid squeezed 5", GRID, squeezed, 0.3028, 0.030, 0.040),
        ("ring squeezed 50", RING, thread, 0.6059, 0.020, 0.030),
        ("grid squeezed 50", GRID, thread, 0.6059, 0.020, 0.030),
        ("ring narrow 20000", RING, points, LOG2, 0.002, 0.003),
        ("grid narrow 20000", GRID, points, LOG2, 0.002, 0.003),
        ("ring x 1000 shift 1", LARGE, Bend(shift=1.0), 0.111421, 0.003, 0.012),
        ("line itself", LINE, Bend(), 0.0, 0.002, 0.008),
        ("line shift 0.2", LINE, Bend(shift=0.2), 0.0050, 0.003, 0.007),
        ("line shift 1", LINE, Bend(shift=1.0), 0.1114, 0.003, 0.012),
        ("line shift 3", LINE, Bend(shift=3.0), 0.5268, 0.003, 0.010),
        ("line shift 8", LINE, Bend(shift=8.0), 0.6931, 0.003, 0.003),
        ("line scale 2", LINE, wide2, 0.0927, 0.003, 0.010),
        ("line scale 0.2", LINE, narrow5, 0.3028, 0.003, 0.010),
    ]
    fires: dict[str, bool | None] = dict.fromkeys([row[0] for row in rows if row[2] in (thread, points)], True)
    fires["grid squeezed 5"] = None
    return [
        Known(name, mixture, bend.sample, truth, mean, single, fires.get(name, False))
        for name, mixture, bend, truth, mean, single in rows
    ]


KNOWN = [
    *_bent(),
    Known("ring, one Gaussian", RING, over_all, 0.682036, 0.003, 0.010),
    Known("grid, one Gaussian", GRID, over_all, 0.653108, 0.003, 0.015),
    Known("ring, 5 % not finite", RING, broken, 0.01765, 0.006, 0.014),
    Known("ring, all not finite", RING, lambda m, _: np.full((N, 2), np.nan), LOG2, 1e-6, 1e-6),
    Known("ring, one point", RING, lambda m, _: np.tile(m.means[:1], (N, 1)), LOG2, 1e-6, 1e-6),
    Known("ring, around 1e6", RING, lambda m, random: 1e6 + random.random((N, 2)), LOG2, 1e-6, 1e-6),
]
