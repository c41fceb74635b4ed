"""The data sets of fifteen checks of measures (Räisä et al. 2025, arXiv:2505.22450; as its public code has them).

Each knows its ``counterparts``: distributions with one planted fault, from one end of a sweep to the other, which the
references ``counterpart-0`` to ``counterpart-9`` draw from. Where the data itself changes along the sweep, a parameter
says how far, and there is one counterpart.
"""

import math
from typing import Literal

import numpy as np
import torch
from _drawn import Drawn, Faulty, ball, gaussian, rounded, sphere, torus, with_outlier
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from ganbench import Dataset, hookimpl

#: Ten places of a sweep that has its middle at the fifth, as shares of its half width.
PLACES = (-1.0, -0.7, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: How far the means are moved, and how many powers of ten the std, by dimension: in more dimensions less is as much.
FURTHEST, DECADES = {1: 6.0, 8: 3.0, 64: 1.0}, {1: 3.0, 8: 1.0, 64: 0.5}
#: Of the ten modes on the diagonal, by dimension.
MODE_STD = {1: 1 / 6, 8: 1 / 3, 64: 1.0}
#: The last of the ten places of a sweep of shares is the end; the one before stands for the study's 95 % quantile.
SHARES = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 1.0)
#: The modes that are there, five, and five that are invented, in the plane; std 0.25.
PLANE = (
    *((5.47, -4.08), (4.87, -13.65), (-16.39, 9.10), (-2.15, 12.46), (11.56, -4.96)),
    *((-24.61, 14.18), (16.84, -3.19), (-5.48, -6.77), (9.47, 1.06), (-5.40, -17.29)),
)
#: The share of a cube that its counterpart overlaps.
OVERLAP = 0.2

Dimension = Literal[1, 8, 64]


def mean(*, dimension: Dimension = 1):
    return Faulty([[0.0] * dimension], 1.0, [gaussian(dimension, FURTHEST[dimension] * at) for at in PLACES])


def outlier(*, dimension: Dimension = 1, of: Literal["data", "synthetic"] = "data"):
    moved = [gaussian(dimension, FURTHEST[dimension] * at) for at in PLACES]
    if of == "synthetic":
        return Faulty([[0.0] * dimension], 1.0, [with_outlier(each, FURTHEST[dimension]) for each in moved])
    return with_outlier(gaussian(dimension), FURTHEST[dimension], moved)


def std(*, dimension: Dimension = 1):
    widths = [10 ** (DECADES[dimension] * at) for at in PLACES]
    return Faulty([[0.0] * dimension], 1.0, [gaussian(dimension, std=width) for width in widths])


def dropped_together(*, dimension: Dimension = 1):
    """All modes but the first lose the same share of their weight."""
    means, width = diagonal(dimension), MODE_STD[dimension]
    kept = [Faulty(means, width, weights=[1.0, *[1 - share] * 9]) for share in SHARES[:-1]]
    return Faulty(means, width, [*kept, Faulty(means[:1], width)])


def dropped_in_turn(*, dimension: Dimension = 1):
    """0 to 9 modes are lost."""
    means, width = diagonal(dimension), MODE_STD[dimension]
    return Faulty(means, width, [Faulty(means[: 10 - lost], width) for lost in range(10)])


def diagonal(dimension):
    return [[at] * dimension for at in np.linspace(0, 10, 10).tolist()]


def invented():
    """1 to 10 modes are made, of which the data has the first five."""
    return Faulty(PLANE[:5], 0.25, [Faulty(PLANE[:modes], 0.25) for modes in range(1, 11)])


def surface(*, dimension: Literal[2, 16, 128] = 2):
    return Drawn(dimension, sphere(dimension), [Drawn(dimension, sphere(dimension, 1 + 0.9 * at)) for at in PLACES])


def pareto():
    """The second coordinate is heavy-tailed, and right; the first is moved."""

    def pair(by):
        def draw(normal, uniform):
            return torch.stack([normal[:, 0] + by, (1 - uniform[:, 0]).double().pow(-1 / 1.01).float()], dim=1)

        return draw

    return Drawn(2, pair(0.0), [Drawn(2, pair(6.0 * at)) for at in PLACES])


def two_modes(*, dimension: Dimension = 1, apart: NonNegativeFloat = 5.0):
    """The data has two modes, its counterpart one in their middle, wide enough to hide both."""
    means = [[-apart / 2] * dimension, [apart / 2] * dimension] if apart else [[0.0] * dimension]
    return Faulty(means, 1.0, [gaussian(dimension, std=math.sqrt(1 + apart**2))])


def scaled(*, scale: PositiveFloat = 1.0):
    """Six std apart in the first coordinate; the second, which is right, is in other units."""

    def pair(by):
        return lambda normal, uniform: normal * torch.tensor([1.0, scale]) + torch.tensor([by, 0.0])

    return Drawn(2, pair(0.0), [Drawn(2, pair(6.0))])


def disjoint(*, extra: PositiveInt = 1):
    """Six std apart in one coordinate; the ``extra`` ones are right."""
    return Faulty([[0.0] * (extra + 1)], 1.0, [Faulty([[6.0, *[0.0] * extra]], 1.0)])


def whole_numbers(*, scale: PositiveFloat = 1.0, of: Literal["data", "synthetic"] = "data"):
    """One of the two is rounded to whole numbers, the other not."""
    pair = (rounded(scale), Faulty([[0.0]], scale))
    if of == "data":
        return Drawn(1, pair[0], [pair[1]])
    return Faulty([[0.0]], scale, [Drawn(1, pair[0])])


def cubes(*, dimension: Dimension = 1, points: PositiveInt | None = None):
    """A unit cube, moved along its diagonal; ``points``: the data are so many, and the same for all seeds."""
    by = 1 - OVERLAP ** (1 / dimension)
    moved = Drawn(dimension, lambda normal, uniform: uniform + by)
    return Drawn(dimension, lambda normal, uniform: uniform, [moved], points)


def ball_and_torus(*, data: Literal["ball", "torus"] = "ball", points: PositiveInt = 1000):
    """A ball of radius 0.8 within the hole of a torus of radii 1 and 0.1; ``points`` as for cubes."""
    inner, outer = (ball(0.8), torus(0.1))
    if data == "torus":
        return Drawn(3, outer, [Drawn(3, inner)], points)
    return Drawn(3, inner, [Drawn(3, outer)], points)


@hookimpl
def ganbench_datasets():
    yield Dataset("check-mean", mean)
    yield Dataset("check-outlier", outlier)
    yield Dataset("check-std", std)
    yield Dataset("check-dropped-together", dropped_together)
    yield Dataset("check-dropped-in-turn", dropped_in_turn)
    yield Dataset("check-invented", invented)
    yield Dataset("check-surface", surface)
    yield Dataset("check-pareto", pareto)
    yield Dataset("check-two-modes", two_modes)
    yield Dataset("check-scaled", scaled)
    yield Dataset("check-disjoint", disjoint)
    yield Dataset("check-rounded", whole_numbers)
    yield Dataset("check-cubes", cubes)
    yield Dataset("check-ball-and-torus", ball_and_torus)
