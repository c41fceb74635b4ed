"""Ring of Gaussians that are not equally likely: each has ``ratio`` times the weight of the one before; no citation.

By default the eighth mode has 8 % of the first one's weight and 2.6 % of the data: the one that is lost first.
"""

import math
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def uneven_ring(
    *,
    modes: PositiveInt = 8,
    radius: PositiveFloat = 2.0,
    std: PositiveFloat = 0.02,
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.7,
):
    angles = [2 * math.pi * k / modes for k in range(modes)]
    means = [[radius * math.cos(a), radius * math.sin(a)] for a in angles]
    return Mixture(means, std, [ratio**k for k in range(modes)])


@hookimpl
def ganbench_datasets():
    yield Dataset("uneven-ring", uneven_ring)
