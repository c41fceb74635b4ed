"""Grids of Gaussians, turned or staggered, 10 x 10 by default (as in ParticleGAN's public code, 2026).

Networks whose units look along the axes have it easy on a straight grid. Both are centred on the origin.
"""

import math

from pydantic import FiniteFloat, PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def middled(n, spacing):
    """So many places on a line, about 0."""
    return [spacing * (k - (n - 1) / 2) for k in range(n)]


def rotated(
    *, side: PositiveInt = 10, spacing: PositiveFloat = 1.0, std: PositiveFloat = 0.03, degrees: FiniteFloat = 25.0
):
    """Square grid turned by ``degrees`` against the clock (``rotated100`` of ParticleGAN's public code, 2026)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Mixture(
        [[c * x - s * y, s * x + c * y] for x in middled(side, spacing) for y in middled(side, spacing)], std
    )


def staggered(
    *, side: PositiveInt = 10, spacing: PositiveFloat = 1.0, std: PositiveFloat = 0.03, squeeze: PositiveFloat = 0.85
):
    """Grid whose rows are shifted to either side in turn (``staggered100`` of ParticleGAN's public code, 2026).

    Rows are ``squeeze`` times as far apart as the modes in them, and shifted by a quarter of the spacing.
    """
    rows, shift = enumerate(middled(side, squeeze * spacing)), spacing / 4
    return Mixture([[x, y + (shift if row % 2 else -shift)] for row, x in rows for y in middled(side, spacing)], std)


@hookimpl
def ganbench_datasets():
    yield Dataset("rotated-grid", rotated)
    yield Dataset("staggered-grid", staggered)
