"""RpGAN + R1 + R2 (Huang et al. 2024, R3GAN, arXiv:2501.05441): relativistic pairing with zero-centred penalties.

Each fake is judged against one real sample (Jolicoeur-Martineau 2018), so no fake can win by fooling D in one region;
penalties on both real (R1) and fake (R2) samples make the game converge locally.
"""

from pydantic import NonNegativeFloat
from torch.nn.functional import softplus

from ganbench import Loss, hookimpl, input_gradient


def discriminator(d_real, d_fake, D, real, fake, *, r1: NonNegativeFloat = 1.0, r2: NonNegativeFloat = 1.0):
    loss = softplus(d_fake - d_real).mean()
    if r1:
        loss = loss + r1 / 2 * input_gradient(D, real).square().flatten(1).sum(1).mean()
    if r2:
        loss = loss + r2 / 2 * input_gradient(D, fake).square().flatten(1).sum(1).mean()
    return loss


def generator(d_real, d_fake):
    return softplus(d_real - d_fake).mean()


@hookimpl
def ganbench_losses():
    yield Loss("rpgan", discriminator, generator)
