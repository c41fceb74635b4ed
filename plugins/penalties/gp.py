"""Gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, equation 3): D's slope held at a target.

At points drawn uniformly between pairs of real and fake samples, one weight a sample. For the paper's toy mixtures its
public code has the weight 0.1.
"""

from pydantic import NonNegativeFloat

from ganbench import Penalty, gradient_penalty, hookimpl


def discriminator(D, real, fake, random, *, weight: NonNegativeFloat = 10.0, target: NonNegativeFloat = 1.0):
    return weight * gradient_penalty(D, real, fake, random, target=target)


@hookimpl
def ganbench_penalties():
    yield Penalty("gp", discriminator)
