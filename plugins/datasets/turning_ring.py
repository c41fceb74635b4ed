"""Ring of Gaussians that turns at once, by 30 degrees at half of the training by default: a moving target; no citation.

A generator that has learned the ring must learn it again: where it had put its modes there is no data any more. What it
is measured on is the data of the moment, and references are fitted to the data as they are after the turn. The step at
which a variant has recovered, counted from the turn, is the column held_learned_step of the metric ``learned``.
"""

import math
from typing import Annotated

from pydantic import Field, FiniteFloat, PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def ring(modes, radius, std, degrees=0.0):
    angles = [2 * math.pi * k / modes + math.radians(degrees) for k in range(modes)]
    return Mixture([[radius * math.cos(a), radius * math.sin(a)] for a in angles], std)


def turning_ring(
    *,
    modes: PositiveInt = 8,
    radius: PositiveFloat = 2.0,
    std: PositiveFloat = 0.02,
    degrees: FiniteFloat = 30.0,
    at: Annotated[float, Field(gt=0, lt=1)] = 0.5,
):
    after = ring(modes, radius, std, degrees)
    after.phases = ((0.0, ring(modes, radius, std)), (at, after))
    return after


@hookimpl
def ganbench_datasets():
    yield Dataset("turning-ring", turning_ring)
