"""R2 (Mescheder et al. 2018, arXiv:1801.04406, equation 10): weight/2 E |grad D(fake)|^2.

The paper's equation has the factor 1/2; its public code has not, so its reg_param 10 is a weight of 20 here.
"""

from pydantic import NonNegativeFloat

from ganbench import Penalty, hookimpl, input_gradient, squared_norm


def discriminator(D, fake, *, weight: NonNegativeFloat = 10.0):
    return weight / 2 * squared_norm(input_gradient(D, fake)).mean()


@hookimpl
def ganbench_penalties():
    yield Penalty("r2", discriminator)
