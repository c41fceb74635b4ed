"""DRAGAN (Kodali et al. 2017, arXiv:1705.07215): the GAN loss, D's slope held at k around the data.

The paper perturbs data by N(0, c I) with a c of its own for each set; its public code, taken here, by a random share of
U(0, noise) standard deviations of the batch. The penalty alone, for other losses, is `penalty: dragan`.
"""

from pydantic import NonNegativeFloat
from torch.nn.functional import softplus

from ganbench import Loss, between, gradient_norm, hookimpl


def discriminator(
    d_real,
    d_fake,
    D,
    real,
    random,
    *,
    penalty: NonNegativeFloat = 10.0,
    k: NonNegativeFloat = 1.0,
    noise: NonNegativeFloat = 0.5,
):
    nearby = real + noise * real.std(correction=0) * random.uniform(*real.shape)
    slope = gradient_norm(D, between(real, nearby, random))
    return softplus(-d_real).mean() + softplus(d_fake).mean() + penalty * (slope - k).square().mean()


def generator(d_fake):
    return softplus(-d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("dragan", discriminator, generator, probability=True)
