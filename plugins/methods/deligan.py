"""DeLiGAN (Gurumurthy et al. 2017, arXiv:1706.02071): the latent is a mixture, learned with the generator.

z = mu_k + sigma_k * noise with k drawn evenly among the components; (1 - sigma)^2 is added to G's loss, so that none
shrinks to a point. Settings as in public code for the toy data: 50 components, mu from uniform on (-1, 1), sigma from
0.02, the weight 0.1. Its components are as many as the samples in a batch, one each; here the first number of a latent
draws one.
"""

from math import prod

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn
from torch.nn.functional import softplus

from ganbench import Loss, Networks, hookimpl


class Component(nn.Module):
    """Of numbers, one row each of (components, latent): the row that the first number of a latent draws."""

    def __init__(self, rows):
        super().__init__()
        self.rows = nn.Parameter(rows)

    def forward(self, z):
        which = (len(self.rows) * torch.special.ndtr(z[:, 0])).floor().clamp(max=len(self.rows) - 1)
        return (which[:, None] == torch.arange(len(self.rows), device=z.device)).to(z.dtype) @ self.rows


class Mixture(nn.Module):
    """Standard normal numbers, (n, 1 + latent), as draws of the mixture."""

    def __init__(self, mu, sigma, latent):
        super().__init__()
        self.mu, self.sigma, self.latent = mu, sigma, latent

    def forward(self, z):
        return (self.mu(z) + self.sigma(z) * z[:, 1:]).reshape(len(z), *self.latent)


def players(build, shape, *, components: PositiveInt = 50, sigma: PositiveFloat = 0.02):
    base = build(shape)
    size = prod(base.latent)
    mu = Component(2 * torch.rand(components, size) - 1)
    spread = Component(torch.full((components, size), sigma))
    return Networks(
        nn.Sequential(Mixture(mu, spread, base.latent), base.generator),
        base.discriminator,
        (1 + size,),
        generator_parts={"spread": spread},
    )


def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(d_fake, spread, z, *, weight: NonNegativeFloat = 0.1):
    return softplus(-d_fake).mean() + weight * (1 - spread(z)).square().mean()


@hookimpl
def ganbench_losses():
    yield Loss("deligan", discriminator, generator, probability=True, players=players, parts=("spread",))
