"""WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028, equation 3): Wasserstein loss, gradient penalty.

The paper takes penalty 10 for images, and 0.1 for its toy mixtures in its public code; five discriminator steps.
"""

from pydantic import NonNegativeFloat

from ganbench import Loss, gradient_penalty, hookimpl


def discriminator(d_real, d_fake, D, real, fake, random, *, penalty: NonNegativeFloat = 10.0):
    return d_fake.mean() - d_real.mean() + penalty * gradient_penalty(D, real, fake, random)


def generator(d_fake):
    return -d_fake.mean()


@hookimpl
def ganbench_losses():
    yield Loss("wgan-gp", discriminator, generator)
