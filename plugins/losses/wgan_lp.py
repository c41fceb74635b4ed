"""WGAN-LP (Petzka et al. 2018, arXiv:1709.08894): WGAN-GP whose penalty forgives slopes below 1, as Lipschitz does.

A critic whose gradient is nowhere longer than 1 pays nothing, so a flat start is no longer pushed to steepen.
"""

from pydantic import NonNegativeFloat
from torch.nn.functional import relu

from ganbench import Loss, between, gradient_norm, hookimpl


def discriminator(d_real, d_fake, D, real, fake, random, *, penalty: NonNegativeFloat = 10.0):
    excess = relu(gradient_norm(D, between(real, fake, random)) - 1)
    return d_fake.mean() - d_real.mean() + penalty * excess.square().mean()


def generator(d_fake):
    return -d_fake.mean()


@hookimpl
def ganbench_losses():
    yield Loss("wgan-lp", discriminator, generator)
