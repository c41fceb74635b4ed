"""The first GAN's networks (Goodfellow et al. 2014, arXiv:1406.2661, section 5): ReLU against maxout with dropout.

The latent is uniform on (-sqrt 3, sqrt 3). ``output``: ``sigmoid``, stretched to [-1, 1] as pixels are here, or
``linear`` for data without bounds. The paper leaves all sizes to its public code (those for MNIST are taken), which
starts the generator's last biases at the marginals of the data; here they start at 0. Parameters on MNIST: G 2,503,984,
D 1,231,441; on digits: G 1,639,264, D 367,441.
"""

from math import prod
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl
from ganbench.nn.layers import Scale

Chance = Annotated[float, Field(ge=0, lt=1)]


class Maxout(nn.Module):
    """Each unit is the largest of ``pieces`` linear functions (Goodfellow et al. 2013, arXiv:1302.4389)."""

    def __init__(self, inputs, units, pieces, irange):
        super().__init__()
        self.pieces = nn.Sequential(linear(inputs, units * pieces, irange), nn.Unflatten(1, (units, pieces)))

    def forward(self, x):
        return self.pieces(x).amax(-1)


def linear(inputs, outputs, irange):
    layer = nn.Linear(inputs, outputs)
    nn.init.uniform_(layer.weight, -irange, irange)
    nn.init.zeros_(layer.bias)
    return layer


def goodfellow_mlp(
    shape,
    *,
    width: PositiveInt = 1200,
    latent: PositiveInt = 100,
    units: PositiveInt = 240,
    pieces: PositiveInt = 5,
    output: Literal["sigmoid", "linear"] = "sigmoid",
    input_dropout: Chance = 0.2,
    hidden_dropout: Chance = 0.5,
    generator_irange: NonNegativeFloat = 0.05,
    discriminator_irange: NonNegativeFloat = 0.005,
):
    size = prod(shape)
    generator = nn.Sequential(
        Scale(3**0.5),
        linear(latent, width, generator_irange),
        nn.ReLU(),
        linear(width, width, generator_irange),
        nn.ReLU(),
        linear(width, size, generator_irange),
        # 2 sigmoid(x) - 1 = tanh(x / 2)
        *([Scale(0.5), nn.Tanh()] if output == "sigmoid" else []),
        nn.Unflatten(1, shape),
    )
    discriminator = nn.Sequential(
        nn.Flatten(),
        nn.Dropout(input_dropout),
        Maxout(size, units, pieces, discriminator_irange),
        nn.Dropout(hidden_dropout),
        Maxout(units, units, pieces, discriminator_irange),
        nn.Dropout(hidden_dropout),
        linear(units, 1, discriminator_irange),
    )
    return Networks(generator, discriminator, (latent,), "uniform")


@hookimpl
def ganbench_architectures():
    yield Architecture("goodfellow-mlp", goodfellow_mlp)
