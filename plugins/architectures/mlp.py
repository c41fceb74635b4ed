"""Multilayer perceptrons for both players, as Gaussian mixtures are learned (Metz et al. 2017, arXiv:1611.02163).

Normalisation stands before the activation and, in the discriminator, not on the input layer. ``batch`` takes the
statistics of the batch at hand, in training and in evaluation: no running averages. ``dropout`` is the discriminator's,
after each activation, as in the first GANs (Goodfellow et al. 2014, arXiv:1406.2661, section 5).

``discriminator_width``, ``discriminator_depth`` and ``discriminator_activation`` are those of the generator unless
given; DCGAN has leaky ReLU in the discriminator alone (Radford et al. 2016, arXiv:1511.06434, section 3).
``negative_slope`` is what leaky ReLU has below 0, by default DCGAN's 0.2.
``spectral_norm`` divides each weight of the discriminator by its largest singular value (Miyato et al. 2018,
arXiv:1802.05957).

``input_scale`` multiplies what the discriminator sees. ReLU networks learn slow changes before quick ones (Rahaman et
al. 2018, arXiv:1806.08734), and a mode of these mixtures is a hundredth of the plane: a scale of 4 lets the
discriminator see the shape of a mode earlier. At 1, the default, the networks are those of the paper.
"""

from math import prod
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl
from ganbench.nn.layers import Scale
from ganbench.nn.spectral_norm import spectral_norm as normalised

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "silu": nn.SiLU}
Activation = Literal["relu", "leaky_relu", "tanh", "silu"]
Norm = Annotated[
    Literal["none", "layer", "batch"], Field(description="none, layer or batch; spectral_norm: true is of D's weights")
]
NORMS = {"layer": nn.LayerNorm, "batch": lambda width: nn.BatchNorm1d(width, track_running_stats=False)}


def layers(inputs, outputs, width, depth, activation, slope, norm, first_norm, dropout=0.0):
    leaky = (slope,) if activation == "leaky_relu" else ()
    sizes = [inputs] + [width] * depth
    for index in range(depth):
        normed = norm != "none" and (index > 0 or first_norm)
        # A bias that a batch norm takes away again would be moved by rounding alone.
        yield nn.Linear(sizes[index], width, bias=not (normed and norm == "batch"))
        if normed:
            yield NORMS[norm](width)
        yield ACTIVATIONS[activation](*leaky)
        if dropout:
            yield nn.Dropout(dropout)
    yield nn.Linear(sizes[-1], outputs)


def mlp(
    shape,
    *,
    width: PositiveInt = 128,
    depth: NonNegativeInt = 2,
    activation: Activation = "relu",
    latent: PositiveInt = 2,
    latent_distribution: Literal["normal", "uniform"] = "normal",
    norm: Norm = "none",
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    input_scale: PositiveFloat = 1.0,
    discriminator_width: PositiveInt | None = None,
    discriminator_depth: NonNegativeInt | None = None,
    discriminator_activation: Activation | None = None,
    negative_slope: Annotated[float, Field(ge=0, lt=1)] | None = None,
    spectral_norm: bool = False,
):
    active = activation if discriminator_activation is None else discriminator_activation
    if negative_slope is not None and "leaky_relu" not in (activation, active):
        raise ValueError("negative_slope is that of leaky_relu, which neither network has")
    slope = 0.2 if negative_slope is None else negative_slope
    size = prod(shape)
    # The generator's weights are drawn first.
    generator = list(layers(latent, size, width, depth, activation, slope, norm, first_norm=True))
    wide = width if discriminator_width is None else discriminator_width
    deep = depth if discriminator_depth is None else discriminator_depth
    discriminator = list(layers(size, 1, wide, deep, active, slope, norm, first_norm=False, dropout=dropout))
    for layer in discriminator:
        if spectral_norm and isinstance(layer, nn.Linear):
            normalised(layer)
    # Without a scale no layer stands there: the networks' layers are then numbered as they were.
    scale = [Scale(input_scale)] if input_scale != 1 else []
    return Networks(
        nn.Sequential(*generator, nn.Unflatten(1, shape)),
        nn.Sequential(nn.Flatten(), *scale, *discriminator),
        (latent,),
        latent_distribution,
    )


@hookimpl
def ganbench_architectures():
    yield Architecture("mlp", mlp)
