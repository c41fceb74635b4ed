"""Contractive autoencoders, two stacked, sampled along what they do not contract (Rifai et al. 2012, arXiv:1206.6434).

An autoencoder with the code h = f(x), a sigmoid, and the same weights down, g(h), lowers the cross-entropy of g(f(x))
and, ``contraction`` times, the squared entries of the Jacobian J of f at x (Rifai et al. 2011, ICML). The
second one is trained on the codes of the first (Bengio et al. 2013, arXiv:1207.4404). Where the data has no room, J is
small, so a walk goes along the data: from h to h + J J' e, with Gaussian e of std ``noise``, and down to the next x
(algorithm 1 of 2012, f of both layers). A sample costs ``turns`` turns of a chain of its own, from noise all over the
cube of the data; it is the mean of the last x. Nothing says how wide the walk should be, and what it ends in is known
for no data: at this ``noise`` its variance on digits is the data's. Numbers are scaled to 0 to 1, all by one scale, and
taken for the probability of a bit. There is no log_density. Cost: 6 s a seed for digits of 8 x 8 pixels, 0.4 s for 1000
samples, one thread.
"""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl
from ganbench.nn.descent import UnitScale, layer, minimise, normal


@dataclass(frozen=True)
class Layer:
    """The weights, up and down, the bias of the code and that of what is put out."""

    W: Tensor
    c: Tensor
    b: Tensor

    @property
    def parameters(self):
        return self.W, self.c, self.b

    def to(self, device):
        return Layer(*(one.to(device) for one in self.parameters))

    def code(self, x):
        return torch.sigmoid(x @ self.W + self.c)

    def decoded(self, h):
        return torch.sigmoid(h @ self.W.T + self.b)


@dataclass(frozen=True)
class Walk:
    """The layers, the lowest first, and how far a step goes."""

    layers: tuple[Layer, ...]
    noise: float
    scale: UnitScale
    turns: int

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.turns} turns of the chain a sample"

    def sample(self, n, generator):
        layers = [each.to(generator.device) for each in self.layers]
        x = torch.rand(n, len(layers[0].b), generator=generator, device=generator.device)
        for _ in range(self.turns):
            x = stepped(x, layers, self.noise, generator)
        return self.scale.points(x)


def stepped(x, layers, noise, random):
    """The next x of each chain: g(h + J J' e), where J is the Jacobian of all layers' code at x."""
    code, slopes = x, []
    for each in layers:
        code = each.code(code)
        slopes.append(code * (1 - code))
    along = noise * normal(code, random)
    for each, slope in zip(reversed(layers), reversed(slopes), strict=True):
        along = (along * slope) @ each.W.T
    for each, slope in zip(layers, slopes, strict=True):
        along = (along @ each.W) * slope
    code = code + along
    for each in reversed(layers):
        code = each.decoded(code)
    return code


def trained(rows, random, *, width, contraction, steps, batch, lr):
    """One layer."""
    (W, c), b = layer(rows.shape[1], width, random), torch.zeros(rows.shape[1], device=rows.device, requires_grad=True)
    own = Layer(W, c, b)

    def loss(x):
        h = own.code(x)
        signal = h @ W.T + b
        error = (torch.nn.functional.softplus(signal) - x * signal).sum(1)
        jacobian = (h * (1 - h)).square() @ W.square().sum(0)
        return (error + contraction * jacobian).mean()

    minimise(loss, own.parameters, rows, random, steps=steps, batch=batch, lr=lr)
    return own


def fit(
    training,
    random,
    *,
    width: PositiveInt = 128,
    contraction: NonNegativeFloat = 0.1,
    noise: PositiveFloat = 0.8,
    steps: PositiveInt = 2000,
    batch: PositiveInt = 100,
    lr: PositiveFloat = 2e-3,
    turns: PositiveInt = 100,
):
    scale = UnitScale.of(training)
    rows, how = scale.rows(training), {"steps": steps, "batch": batch, "lr": lr}
    lower = trained(rows, random, width=width, contraction=contraction, **how)
    upper = trained(lower.code(rows), random, width=width, contraction=contraction, **how)
    return Walk((lower, upper), noise, scale, turns)


@hookimpl
def ganbench_references():
    yield Reference("contractive-autoencoder", fit)
