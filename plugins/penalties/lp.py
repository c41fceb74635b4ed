"""Lipschitz penalty (Petzka et al. 2018, arXiv:1709.08894): only a slope above the target costs, not one below.

At points drawn uniformly between pairs of real and fake samples, as the gradient penalty that it mends.
"""

from pydantic import NonNegativeFloat
from torch.nn.functional import relu

from ganbench import Penalty, between, gradient_norm, hookimpl


def discriminator(D, real, fake, random, *, weight: NonNegativeFloat = 10.0, target: NonNegativeFloat = 1.0):
    return weight * relu(gradient_norm(D, between(real, fake, random)) - target).square().mean()


@hookimpl
def ganbench_penalties():
    yield Penalty("lp", discriminator)
