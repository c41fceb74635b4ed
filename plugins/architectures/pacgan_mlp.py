"""PacGAN's networks for mixtures (Lin et al. 2018, arXiv:1712.04086): batch-normed ReLU against maxout, after ALI.

The generator has no biases but its last layer's; a packed discriminator is the same network on a wider input. Sizes and
initialisation are those of the public code. Parameters on 2-D data: G 484,802, D 405,201.
"""

from itertools import pairwise
from math import prod
from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl

NORMS = {"batch": lambda width: nn.BatchNorm1d(width, track_running_stats=False), "layer": nn.LayerNorm}


class Maxout(nn.Module):
    """Each unit is the largest of ``pieces`` linear functions (Goodfellow et al. 2013, arXiv:1302.4389)."""

    def __init__(self, inputs, units, pieces):
        super().__init__()
        self.pieces = nn.Sequential(nn.Linear(inputs, units * pieces), nn.Unflatten(1, (units, pieces)))

    def forward(self, x):
        return self.pieces(x).amax(-1)


def hidden(inputs, outputs, norm):
    yield nn.Linear(inputs, outputs, bias=norm == "none")
    if norm != "none":
        yield NORMS[norm](outputs)
    yield nn.ReLU()


def pacgan_mlp(
    shape,
    *,
    width: PositiveInt = 400,
    latent: PositiveInt = 2,
    norm: Literal["batch", "layer", "none"] = "batch",
    units: PositiveInt = 200,
    pieces: PositiveInt = 5,
    init_std: NonNegativeFloat = 0.02,
):
    size = prod(shape)
    sizes = (latent, width, width, width, width)
    layers = [layer for pair in pairwise(sizes) for layer in hidden(*pair, norm)]
    generator = nn.Sequential(*layers, nn.Linear(width, size), nn.Unflatten(1, shape))
    maxouts = [Maxout(inputs, units, pieces) for inputs in (size, units, units)]
    discriminator = nn.Sequential(nn.Flatten(), *maxouts, nn.Linear(units, 1))
    for layer in (*generator.modules(), *discriminator.modules()):
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=init_std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return Networks(generator, discriminator, (latent,))


@hookimpl
def ganbench_architectures():
    yield Architecture("pacgan-mlp", pacgan_mlp)
