"""Mode-regularised GANs (Che et al. 2017, arXiv:1612.02136, sections 3.2 and 3.3): every datum is to be reconstructed.

An encoder E is trained with the generator, so that G(E(x)) comes close to each x and no mode is left out. ``reg-gan``
adds the error and -log D(G(E(x))) to the loss of G and E; the paper prints lambda_2 log D with the other sign, against
its text, and a public re-run follows the print: here the text. ``mdgan`` (appendix A) splits the game in two: D brings
G(E(x)) to the data, and a second discriminator D2 brings G(z) to G(E(x)). E is the architecture's discriminator with
another last layer. Weights as in section 4.1.1, on the squared distance summed over a sample's coordinates.
"""

from math import prod

from pydantic import NonNegativeFloat
from torch import nn
from torch.nn.functional import softplus

from ganbench import Loss, Networks, hookimpl, with_head


def encoder(discriminator, latent):
    """A network like the discriminator, from samples to latents."""
    return nn.Sequential(*with_head(discriminator, prod(latent)), nn.Unflatten(1, latent))


def reg_players(build, shape):
    """Reg-GAN (Che et al. 2017, arXiv:1612.02136, section 3.2): an encoder, so that G reconstructs every datum."""
    first = build(shape)
    E = encoder(build(shape).discriminator, first.latent)
    return Networks(
        first.generator, first.discriminator, first.latent, first.latent_distribution, generator_parts={"E": E}
    )


def mdgan_players(build, shape):
    """MDGAN (Che et al. 2017, arXiv:1612.02136, section 3.3): one D for reconstructions, another for samples."""
    first = build(shape)
    E = encoder(build(shape).discriminator, first.latent)
    return Networks(
        first.generator,
        first.discriminator,
        first.latent,
        first.latent_distribution,
        generator_parts={"E": E},
        discriminator_parts={"D2": build(shape).discriminator},
    )


def squared_distance(x, y):
    return (x - y).flatten(1).square().sum(1).mean()


def reg_discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def reg_generator(D, G, E, d_fake, real, *, lambda_1: NonNegativeFloat = 0.2, lambda_2: NonNegativeFloat = 0.4):
    again = G(E(real))
    regulariser = lambda_1 * squared_distance(real, again) + lambda_2 * softplus(-D(again)).mean()
    return softplus(-d_fake).mean() + regulariser


def mdgan_discriminator(D, D2, G, E, d_real, real, fake):
    again = G(E(real))
    manifold = softplus(-d_real).mean() + softplus(D(again)).mean()
    diffusion = softplus(-D2(again)).mean() + softplus(D2(fake)).mean()
    return manifold + diffusion


def mdgan_generator(D, D2, G, E, real, fake, *, weight: NonNegativeFloat = 0.01):
    again = G(E(real))
    manifold = weight * softplus(-D(again)).mean() + squared_distance(real, again)
    diffusion = softplus(-D2(fake)).mean()
    return manifold + diffusion


@hookimpl
def ganbench_losses():
    yield Loss("reg-gan", reg_discriminator, reg_generator, probability=True, players=reg_players, parts=("E",))
    yield Loss("mdgan", mdgan_discriminator, mdgan_generator, players=mdgan_players, parts=("E", "D2"))
