"""Non-saturating (Goodfellow et al. 2014, arXiv:1406.2661, section 3): G maximises log D(G(z)).

The same fixed point as minimax, with strong gradients early on.
"""

from torch.nn.functional import softplus

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(d_fake):
    return softplus(-d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("nonsaturating", discriminator, generator, probability=True)
