"""WGAN (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1): Wasserstein loss, every weight of D clipped.

The paper trains with RMSprop at 5e-5 and five discriminator steps. Its public code makes 100 of them in each of the
first 25 generator steps, and in every 500th; the algorithm does not, nor does this.
"""

from pydantic import PositiveFloat

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake):
    return d_fake.mean() - d_real.mean()


def generator(d_fake):
    return -d_fake.mean()


def project(theta, *, clip: PositiveFloat = 0.01):
    return theta.clamp(-clip, clip)


@hookimpl
def ganbench_losses():
    yield Loss("wgan", discriminator, generator, project=project)
