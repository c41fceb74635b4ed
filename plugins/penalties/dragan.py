"""DRAGAN's penalty (Kodali et al. 2017, arXiv:1705.07215): D's slope held at k around the data.

The paper perturbs data by N(0, c I) with a c of its own for each set; its public code, taken here, by a random share of
U(0, noise) standard deviations of the batch.
"""

from pydantic import NonNegativeFloat

from ganbench import Penalty, between, gradient_norm, hookimpl


def discriminator(
    D, real, random, *, weight: NonNegativeFloat = 10.0, k: NonNegativeFloat = 1.0, noise: NonNegativeFloat = 0.5
):
    nearby = real + noise * real.std(correction=0) * random.uniform(*real.shape)
    return weight * (gradient_norm(D, between(real, nearby, random)) - k).square().mean()


@hookimpl
def ganbench_penalties():
    yield Penalty("dragan", discriminator)
