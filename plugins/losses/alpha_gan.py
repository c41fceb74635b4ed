"""(alpha_D, alpha_G)-GAN (Welfert et al. 2023, arXiv:2302.14320): each player has an alpha-loss of its own.

The alpha-loss of the probability p of the true label is alpha/(alpha-1) (1 - p^((alpha-1)/alpha)): log-loss at 1, where
this is minimax or non-saturating; below 1 it punishes confident mistakes harder, above 1 (up to .inf) more softly. Far
below 1 it leaves the range of float32 soon: at 0.2 from a logit of 22, at 0.5 of 88.
"""

from pydantic import PositiveFloat
from torch import expm1
from torch.nn.functional import softplus

from ganbench import Loss, hookimpl


def alpha_loss(logit, alpha):
    """Of p = sigmoid(logit), from -log p, so that neither a rounded p nor an alpha near 1 costs digits."""
    if alpha == 1:
        return softplus(-logit)
    power = 1 - 1 / alpha
    return -expm1(-power * softplus(-logit)) / power


def discriminator(d_real, d_fake, *, alpha_d: PositiveFloat = 1.0):
    return alpha_loss(d_real, alpha_d).mean() + alpha_loss(-d_fake, alpha_d).mean()


def generator(d_fake, *, alpha_g: PositiveFloat = 1.0, saturating: bool = False):
    return -alpha_loss(-d_fake, alpha_g).mean() if saturating else alpha_loss(d_fake, alpha_g).mean()


@hookimpl
def ganbench_losses():
    yield Loss("alpha-gan", discriminator, generator)
