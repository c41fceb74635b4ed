"""DCGAN (Radford et al. 2016, arXiv:1511.06434, section 3): strided 4 x 4 convolutions, batch norm, ReLU, leaky ReLU.

Square images of 8 pixels and more: the generator starts from 4 to 7 pixels, and the channels double with every halving.
``channels`` is the width next to the image, 128 in the paper, which draws 64 x 64. No norm stands on the generator's
output nor on the discriminator's input. All weights are drawn from N(0, 0.02); public code draws the gains of batch
norm around 1 too, here they start at 1. The authors' own code has 5 x 5 kernels; 4 x 4, as in its Torch port, is taken.
Parameters on digits: G 103,553, D 2,113; on CIFAR-10: G 1,068,931, D 663,361; at 64 x 64 with 128 channels: G
12,658,435, D 11,036,289.
"""

from typing import Literal

from pydantic import PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl
from ganbench.nn.layers import CENTRING, IMAGE_NORMS, halvings

Norm = Literal["batch", "layer", "instance", "none"]


def up(widths, sizes, norm):
    for inner in range(len(sizes) - 1, 0, -1):
        yield from IMAGE_NORMS[norm](widths[inner])
        yield nn.ReLU()
        odd = sizes[inner - 1] % 2  # the row and the column that the halving has dropped
        bias = inner == 1 or norm not in CENTRING
        yield nn.ConvTranspose2d(widths[inner], widths[inner - 1], 4, 2, 1, output_padding=odd, bias=bias)
    yield nn.Tanh()


def down(widths, sizes, norm):
    for inner in range(1, len(sizes)):
        yield nn.Conv2d(widths[inner - 1], widths[inner], 4, 2, 1, bias=inner == 1 or norm not in CENTRING)
        if inner > 1:
            yield from IMAGE_NORMS[norm](widths[inner])
        yield nn.LeakyReLU(0.2)


def dcgan(
    shape,
    *,
    channels: PositiveInt = 64,
    latent: PositiveInt = 100,
    generator_norm: Norm = "batch",
    discriminator_norm: Norm = "batch",
):
    sizes = halvings("dcgan", shape)
    widths = [shape[0], *(channels * 2**index for index in range(len(sizes) - 1))]
    first = (widths[-1], sizes[-1], sizes[-1])
    features = widths[-1] * sizes[-1] ** 2
    generator = nn.Sequential(
        nn.Linear(latent, features, bias=generator_norm not in CENTRING),
        nn.Unflatten(1, first),
        *up(widths, sizes, generator_norm),
    )
    discriminator = nn.Sequential(*down(widths, sizes, discriminator_norm), nn.Flatten(), nn.Linear(features, 1))
    for layer in (*generator.modules(), *discriminator.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return Networks(generator, discriminator, (latent,), "uniform")


@hookimpl
def ganbench_architectures():
    yield Architecture("dcgan", dcgan)
