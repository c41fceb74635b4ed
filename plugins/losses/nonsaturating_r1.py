"""Non-saturating with R1 (Mescheder et al. 2018, arXiv:1801.04406, equation 9): gamma/2 E |grad D(real)|^2.

The paper's equation has the factor 1/2; its public code has not, so its reg_param 10 is gamma = 20 here.
"""

from pydantic import NonNegativeFloat
from torch.nn.functional import softplus

from ganbench import Loss, hookimpl, input_gradient


def discriminator(d_real, d_fake, D, real, *, gamma: NonNegativeFloat = 10.0):
    r1 = input_gradient(D, real).square().flatten(1).sum(1).mean()
    return softplus(-d_real).mean() + softplus(d_fake).mean() + gamma / 2 * r1


def generator(d_fake):
    return softplus(-d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("nonsaturating-r1", discriminator, generator, probability=True)
