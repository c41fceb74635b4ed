"""Minimax (Goodfellow et al. 2014, arXiv:1406.2661, equation 1): both players share V(D, G).

D(x) = sigmoid(logit); log D = -softplus(-logit) and log(1 - D) = -softplus(logit), exact where a probability would
round to 0 or 1. The generator's gradient vanishes while D rejects its samples with confidence (section 3).
"""

from torch.nn.functional import softplus

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(d_fake):
    return -softplus(d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("minimax", discriminator, generator, probability=True)
