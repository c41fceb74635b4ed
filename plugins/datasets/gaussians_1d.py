"""Gaussians on the line, evenly spaced about 0, the simplest data on which modes are lost; no citation.

Each has ``ratio`` times the weight of the one before. At the default spacing of 6 std they hardly overlap; at 2 they
are one hump. For any others name ``mixture``, for published ones ``line-mad-gan`` or ``line-f-gan``.
"""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def gaussians_1d(
    *,
    modes: PositiveInt = 4,
    spacing: PositiveFloat = 1.5,
    std: PositiveFloat = 0.25,
    ratio: Annotated[float, Field(gt=0, le=1)] = 1.0,
):
    places = [spacing * (k - (modes - 1) / 2) for k in range(modes)]
    return Mixture([[x] for x in places], std, [ratio**k for k in range(modes)])


@hookimpl
def ganbench_datasets():
    yield Dataset("gaussians-1d", gaussians_1d)
