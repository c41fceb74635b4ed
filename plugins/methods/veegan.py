"""VEEGAN (Srivastava et al. 2017, arXiv:1705.07761, algorithm 1): F reconstructs z from G(z), D judges pairs (z, x).

D's logit is log p(x) p(z | x) - log q(x | z) p(z), the data's sign first as everywhere here, and G raises it while F
and G lower the error of reconstruction, which a collapsed G cannot. As in public code p(z | x) is a Gaussian of std
1 about F(x), and the error its -log likelihood, |z - F(x)|^2 / 2. Its latents have 254 numbers: of two, say, that noise
leaves little, and modes are lost. F is the architecture's discriminator with another last layer; in D, z stands beside
x as further coordinates, or as channels that are the same at every pixel.
"""

from math import prod

from pydantic import NonNegativeFloat
from torch.nn.functional import softplus

from ganbench import Joint, Loss, Networks, hookimpl, with_head


def players(build, shape):
    single = build(shape)
    size = prod(single.latent)
    return Networks(
        single.generator,
        Joint(build((shape[0] + size, *shape[1:])).discriminator),
        single.latent,
        single.latent_distribution,
        generator_parts={"F": with_head(single.discriminator, size)},
    )


def discriminator(D, F, real, fake, z, random):
    mean = F(real)
    reconstructed = mean + random.normal(*mean.shape)
    return softplus(-D(real, reconstructed)).mean() + softplus(D(fake, z)).mean()


def generator(D, F, fake, z, *, weight: NonNegativeFloat = 1.0):
    error = (z.flatten(1) - F(fake)).square().sum(1) / 2
    return -D(fake, z).mean() + weight * error.mean()


@hookimpl
def ganbench_losses():
    yield Loss("veegan", discriminator, generator, players=players, parts=("F",))
