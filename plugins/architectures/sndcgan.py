"""SNDCGAN (Miyato et al. 2018, arXiv:1802.05957, table 3): DCGAN whose discriminator's layers have spectral norm 1.

Square images of 8 pixels and more: the generator starts from 4 to 7 pixels, and the channels double with every halving.
``channels`` is the width next to the image, 64 in the paper. Public code widens the discriminator at its strided layers
and leaks 0.2; taken are the table's widths, which grow after them, and 0.1. A weight is divided by its largest singular
value, found anew in every call instead of by one power iteration a step from a kept vector. Parameters on digits: G
165,217, D 36,257; CIFAR-10: G 1,217,827, D 736,801; the paper's: G 3,811,907, D 2,935,873.
"""

from itertools import pairwise
from typing import Literal

from pydantic import PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl, spectral_norm
from ganbench.nn.layers import CENTRING, IMAGE_NORMS, halvings


def up(widths, sizes, norm):
    bias = norm not in CENTRING
    for inner in range(len(sizes) - 1, 0, -1):
        odd = sizes[inner - 1] % 2  # the row and the column that the halving has dropped
        yield nn.ConvTranspose2d(widths[inner], widths[inner - 1], 4, 2, 1, output_padding=odd, bias=bias)
        yield from IMAGE_NORMS[norm](widths[inner - 1])
        yield nn.ReLU()


def down(image, widths):
    yield from (nn.Conv2d(image, widths[0], 3, 1, 1), nn.LeakyReLU(0.1))
    for outer, inner in pairwise(widths):
        yield from (nn.Conv2d(outer, outer, 4, 2, 1), nn.LeakyReLU(0.1))
        yield from (nn.Conv2d(outer, inner, 3, 1, 1), nn.LeakyReLU(0.1))


def sndcgan(
    shape,
    *,
    channels: PositiveInt = 32,
    latent: PositiveInt = 128,
    norm: Literal["batch", "layer", "instance", "none"] = "batch",
):
    sizes = halvings("sndcgan", shape)
    widths = [channels * 2**index for index in range(len(sizes))]
    features = widths[-1] * sizes[-1] ** 2
    generator = nn.Sequential(
        nn.Linear(latent, features),
        nn.Unflatten(1, (widths[-1], sizes[-1], sizes[-1])),
        *up(widths, sizes, norm),
        nn.Conv2d(channels, shape[0], 3, 1, 1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(*down(shape[0], widths), nn.Flatten(), nn.Linear(features, 1))
    for layer in (*generator.modules(), *discriminator.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in discriminator:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)
    return Networks(generator, discriminator, (latent,))


@hookimpl
def ganbench_architectures():
    yield Architecture("sndcgan", sndcgan)
