"""VEEGAN (Srivastava et al. 2017, arXiv:1705.07761, algorithm 1): F reconstructs z from G(z), D judges pairs (z, x).

D's logit is log p(x) p(z | x) - log q(x | z) p(z), the data's sign first as everywhere here, and G raises it while F
and G lower the error of reconstruction, which a collapsed G cannot. As in public code p(z | x) is a Gaussian of std
1 about F(x), and the error its -log likelihood, |z - F(x)|^2 / 2. Its latents have 254 numbers: of two, say, that noise
leaves little, and modes are lost. F is the architecture's discriminator with another last layer; in D, z stands beside
x as further coordinates, or as channels that are the same at every pixel.
"""

from math import prod

import torch
from pydantic import NonNegativeFloat
from torch import nn
from torch.nn.functional import softplus

from ganbench import Loss, Networks, hookimpl


class Joint(nn.Module):
    """D(x, z)."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, z):
        z = z.flatten(1)
        beside = z.reshape(*z.shape, *[1] * (x.dim() - 2)).expand(*z.shape, *x.shape[2:])
        return self.network(torch.cat([x, beside], dim=1))


def reconstructor(discriminator, outputs):
    """A network like the discriminator, with so many outputs."""
    if not isinstance(discriminator, nn.Sequential) or not isinstance(discriminator[-1], nn.Linear):
        raise ValueError("the reconstructor is made of a discriminator that is an nn.Sequential and ends in nn.Linear")
    return nn.Sequential(*discriminator[:-1], nn.Linear(discriminator[-1].in_features, outputs))


def players(build, shape):
    single = build(shape)
    size = prod(single.latent)
    return Networks(
        single.generator,
        Joint(build((shape[0] + size, *shape[1:])).discriminator),
        single.latent,
        single.latent_distribution,
        generator_parts={"F": reconstructor(single.discriminator, size)},
    )


def discriminator(D, F, real, fake, z, random):
    mean = F(real)
    reconstructed = mean + random.normal(*mean.shape)
    return softplus(-D(real, reconstructed)).mean() + softplus(D(fake, z)).mean()


def generator(D, F, fake, z, *, weight: NonNegativeFloat = 1.0):
    error = (z.flatten(1) - F(fake)).square().sum(1) / 2
    return -D(fake, z).mean() + weight * error.mean()


@hookimpl
def ganbench_losses():
    yield Loss("veegan", discriminator, generator, players=players, parts=("F",))
