"""Instance noise (Sønderby et al. 2016, arXiv:1610.04490): D sees every sample, real or fake, with Gaussian noise.

The two distributions then overlap, so that D has no perfect answer (Arjovsky & Bottou 2017, arXiv:1701.04862). Over
`steps` generator steps `std` falls linearly to 0; with steps 0 it stays.
"""

from pydantic import NonNegativeFloat, NonNegativeInt

from ganbench import Penalty, hookimpl


def inputs(x, random, step, *, std: NonNegativeFloat = 0.1, steps: NonNegativeInt = 0):
    left = (1 - step / steps).clamp(min=0) if steps else 1
    return x + std * left * random.normal(*x.shape)


@hookimpl
def ganbench_penalties():
    yield Penalty("instance-noise", inputs=inputs, scheduled="std")
