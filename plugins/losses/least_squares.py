"""LSGAN (Mao et al. 2017, arXiv:1611.04076, equation 2): squared distances from the labels a, b and c.

The labels 0, 1, 1 are those of its experiments (equation 9); a = -1, b = 1, c = 0 give the Pearson chi2 divergence
(equation 8). Both losses have the paper's factor 1/2, which most public code leaves out.
"""

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake, *, a: float = 0.0, b: float = 1.0):
    return (d_real - b).square().mean() / 2 + (d_fake - a).square().mean() / 2


def generator(d_fake, *, c: float = 1.0):
    return (d_fake - c).square().mean() / 2


@hookimpl
def ganbench_losses():
    yield Loss("least-squares", discriminator, generator)
