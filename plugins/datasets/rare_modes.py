"""Ring of Gaussians of which every second one is rare, with a hundredth of the others' weight; no citation.

The four rare modes of eight hold 1 % of the data together, 25 of 10,000 samples each. The JSD of a generator that drops
them is 0.003, too little to see; the modes are counted by their own weight, so that ``modes_covered`` is 4 of 8.
"""

import math

from pydantic import PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def rare_modes(
    *, modes: PositiveInt = 8, radius: PositiveFloat = 2.0, std: PositiveFloat = 0.02, ratio: PositiveFloat = 100.0
):
    angles = [2 * math.pi * k / modes for k in range(modes)]
    means = [[radius * math.cos(a), radius * math.sin(a)] for a in angles]
    return Mixture(means, std, [1 / ratio if k % 2 else 1.0 for k in range(modes)])


@hookimpl
def ganbench_datasets():
    yield Dataset("rare-modes", rare_modes)
