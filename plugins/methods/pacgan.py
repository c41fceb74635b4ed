"""PacGAN (Lin et al. 2018, arXiv:1712.04086): D judges m samples at once, and so sees a lack of diversity.

The samples of a pack are joined along their first axis, as coordinates or as channels: D is the variant's architecture
for data of m times as many. A batch of n samples makes n/m packs here; public code takes n packs, of n*m samples, so
its batch of 100 is ``batch: 200`` with packing 2.
"""

from pydantic import PositiveInt
from torch.nn.functional import softplus

from ganbench import Loss, Networks, hookimpl


def players(build, shape, *, packing: PositiveInt = 2):
    single, packed = build(shape), build((packing * shape[0], *shape[1:]))
    return Networks(single.generator, packed.discriminator, single.latent, single.latent_distribution)


def packs(x, packing):
    """(n, first, ...) -> (n / packing, packing * first, ...)."""
    if len(x) % packing:
        raise ValueError(f"a batch of {len(x)} makes no packs of {packing}: choose one that divides the other")
    return x.reshape(len(x) // packing, packing * x.shape[1], *x.shape[2:])


def discriminator(D, real, fake, *, packing: PositiveInt = 2):
    return softplus(-D(packs(real, packing))).mean() + softplus(D(packs(fake, packing))).mean()


def generator(D, fake, *, packing: PositiveInt = 2):
    return softplus(-D(packs(fake, packing))).mean()


@hookimpl
def ganbench_losses():
    yield Loss("pacgan", discriminator, generator, players=players)
