"""ALI (Dumoulin et al. 2017, arXiv:1606.00704, algorithm 1) and BiGAN (Donahue et al. 2017, arXiv:1605.09782): D(x, z).

An encoder E is trained with the generator: D tells (x, E(x)) of the data from (G(z), z), and where it cannot, E inverts
G. ALI's E draws z from a Gaussian of the mean and variance that it gives; BiGAN's gives z itself. E is the
architecture's discriminator with another last layer; in D, z stands beside x as further coordinates, or as channels
that are the same at every pixel. Both papers train E and G on the swapped labels, as here.
"""

from math import prod

from torch.nn.functional import softplus

from ganbench import Joint, Loss, Networks, hookimpl, with_head


def joint_players(build, shape, numbers):
    """The players of a game in x and z, whose E gives so many numbers for each of z."""
    single = build(shape)
    size = prod(single.latent)
    return Networks(
        single.generator,
        Joint(build((shape[0] + size, *shape[1:])).discriminator),
        single.latent,
        single.latent_distribution,
        generator_parts={"E": with_head(single.discriminator, numbers * size)},
    )


def ali_players(build, shape):
    """ALI (Dumoulin et al. 2017, arXiv:1606.00704, algorithm 1): D judges pairs (x, z), E draws z from a Gaussian."""
    return joint_players(build, shape, numbers=2)


def bigan_players(build, shape):
    """BiGAN (Donahue et al. 2017, arXiv:1605.09782): D judges pairs (x, z), E gives z itself."""
    return joint_players(build, shape, numbers=1)


def drawn(E, x, random):
    """A draw of z from q(z | x), the Gaussian that E gives."""
    mean, log_variance = E(x).chunk(2, dim=1)
    return mean + (log_variance / 2).exp() * random.normal(*mean.shape)


def ali_discriminator(D, E, real, fake, z, random):
    return softplus(-D(real, drawn(E, real, random))).mean() + softplus(D(fake, z)).mean()


def ali_generator(D, E, real, fake, z, random):
    return softplus(D(real, drawn(E, real, random))).mean() + softplus(-D(fake, z)).mean()


def bigan_discriminator(D, E, real, fake, z):
    return softplus(-D(real, E(real))).mean() + softplus(D(fake, z)).mean()


def bigan_generator(D, E, real, fake, z):
    return softplus(D(real, E(real))).mean() + softplus(-D(fake, z)).mean()


@hookimpl
def ganbench_losses():
    yield Loss("ali", ali_discriminator, ali_generator, players=ali_players, parts=("E",))
    yield Loss("bigan", bigan_discriminator, bigan_generator, players=bigan_players, parts=("E",))
