"""0-GP (Thanh-Tung et al. 2019, arXiv:1902.03984): a zero-centred penalty between real and fake samples.

R1 and R2 act at the samples alone, and this on the whole way between them, where D should fall evenly.
"""

from pydantic import NonNegativeFloat

from ganbench import Penalty, between, hookimpl, input_gradient, squared_norm


def discriminator(D, real, fake, random, *, weight: NonNegativeFloat = 100.0):
    return weight * squared_norm(input_gradient(D, between(real, fake, random))).mean()


@hookimpl
def ganbench_penalties():
    yield Penalty("gp0", discriminator)
