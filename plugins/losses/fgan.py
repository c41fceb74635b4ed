"""f-GAN (Nowozin et al. 2016, arXiv:1606.00709): D estimates an f-divergence, which G minimises.

D maximises E[g(v)] over data less E[f*(g(v))] over fakes, v its logit, g the activation that keeps g(v) where the
conjugate f* is finite. G minimises the same (saturating), or maximises E[g(v)] over fakes (section 3.2). f*(g(v)) is
simplified by hand, so that no logarithm meets a rounded argument; public copies of the table drop both logs of
Jensen-Shannon's.
"""

from math import log
from typing import Literal

from torch import exp, expm1, tanh
from torch.nn.functional import softplus

from ganbench import Loss, hookimpl

Divergence = Literal[
    "total-variation", "kl", "reverse-kl", "pearson", "neyman", "squared-hellinger", "jensen-shannon", "gan"
]

#: For each divergence: g(v), and f*(g(v)).
FAMILY = {
    "total-variation": (lambda v: tanh(v) / 2, lambda v: tanh(v) / 2),
    "kl": (lambda v: v, lambda v: exp(v - 1)),
    "reverse-kl": (lambda v: -exp(-v), lambda v: v - 1),
    "pearson": (lambda v: v, lambda v: v.square() / 4 + v),
    "neyman": (lambda v: -expm1(-v), lambda v: -2 * expm1(-v / 2)),
    "squared-hellinger": (lambda v: -expm1(-v), expm1),
    "jensen-shannon": (lambda v: log(2) - softplus(-v), lambda v: softplus(v) - log(2)),
    "gan": (lambda v: -softplus(-v), softplus),
}


def discriminator(d_real, d_fake, *, divergence: Divergence = "jensen-shannon"):
    g, conjugate = FAMILY[divergence]
    return conjugate(d_fake).mean() - g(d_real).mean()


def generator(d_fake, *, divergence: Divergence = "jensen-shannon", saturating: bool = False):
    g, conjugate = FAMILY[divergence]
    return -conjugate(d_fake).mean() if saturating else -g(d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("fgan", discriminator, generator)
