"""Generative stochastic network of two hidden layers (Bengio et al. 2014, arXiv:1306.1091, section 4 and figure 3).

A denoising autoencoder whose hidden units are a part of the chain and noisy, too: x is corrupted, the first hidden
layer hears from x and from the second, the second from the first, and x from the first, all by the same weights up and
down, with Gaussian noise of std ``hidden_noise`` before and after each tanh. Training backpropagates through
``turns_trained`` turns that begin at a point, and asks for the point at each (walk back): P(x | h) is a Gaussian about
the output with one std, which is trained too. A sample costs ``turns`` turns of a chain of its own, from noise all over
the cube of the data. The paper has salt and pepper noise and bits; here numbers are real, scaled to 0 to 1, all by one
scale. There is no log_density. Cost: 30 s a seed for digits of 8 x 8 pixels, 3 s for 2000 samples, one thread.
"""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl
from ganbench.nn.descent import GaussianNoise, UnitScale, layer, minimise, normal


@dataclass(frozen=True)
class Network:
    """The weights of both layers, the three biases, the noise of what it puts out; the std of those on x and inside."""

    W: Tensor
    V: Tensor
    b: Tensor
    c: Tensor
    d: Tensor
    output: GaussianNoise
    noise: float
    hidden_noise: float

    @property
    def parameters(self):
        return [self.W, self.V, self.b, self.c, self.d, self.output.log_std]

    def to(self, device):
        *weights, log_std = (one.to(device) for one in self.parameters)
        return Network(*weights, GaussianNoise(log_std), self.noise, self.hidden_noise)

    def turn(self, x, second, random):
        """The mean of x after one turn of the chain, and the second hidden layer."""
        x = x + self.noise * normal(x, random)
        first = self.heard(x @ self.W + second @ self.V.T + self.c, random)
        second = self.heard(first @ self.V + self.d, random)
        return first @ self.W.T + self.b, second

    def heard(self, signal, random):
        inside = torch.tanh(signal + self.hidden_noise * normal(signal, random))
        return inside + self.hidden_noise * normal(signal, random)


@dataclass(frozen=True)
class Chain:
    """A trained network as a distribution of data."""

    network: Network
    scale: UnitScale
    turns: int

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.turns} turns of the chain a sample"

    def sample(self, n, generator):
        network = self.network.to(generator.device)
        x = torch.rand(n, len(network.b), generator=generator, device=generator.device)
        second = x.new_zeros(n, len(network.d))
        for _ in range(self.turns):
            mean, second = network.turn(x, second, generator)
            x = network.output.added(mean, generator)
        return self.scale.points(x)


def fit(
    training,
    random,
    *,
    width: PositiveInt = 200,
    noise: PositiveFloat = 0.2,
    hidden_noise: NonNegativeFloat = 0.1,
    turns_trained: PositiveInt = 4,
    steps: PositiveInt = 2000,
    batch: PositiveInt = 100,
    lr: PositiveFloat = 2e-3,
    turns: PositiveInt = 100,
):
    scale = UnitScale.of(training)
    rows = scale.rows(training)
    size = rows.shape[1]
    (W, c), (V, d) = layer(size, width, random), layer(width, width, random)
    b = rows.mean(0).requires_grad_()
    network = Network(W, V, b, c, d, GaussianNoise.of(rows), noise, hidden_noise)

    def loss(x):
        total, at, second = torch.zeros((), device=random.device), x, x.new_zeros(len(x), width)
        for _ in range(turns_trained):
            mean, second = network.turn(at, second, random)
            total = total + network.output.surprise(x, mean).mean()
            at = network.output.added(mean, random)
        return total / turns_trained

    minimise(loss, network.parameters, rows, random, steps=steps, batch=batch, lr=lr)
    return Chain(network, scale, turns)


@hookimpl
def ganbench_references():
    yield Reference("gsn", fit)
