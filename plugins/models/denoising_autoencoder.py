"""Denoising autoencoder as a model: a Markov chain that corrupts and restores (Bengio et al. 2013, arXiv:1305.6663).

x~ = x + Gaussian noise of std ``noise``; P(x | x~) is a Gaussian about the network's f(x~), with one std, which is
trained too. Where P is the true conditional, the chain x -> x~ -> x has the data's distribution in the end (theorem 1).
Training walks back (section 4): from each point the chain makes ``walkback`` turns, and the network has to restore the
point at each, which pulls the chain out of what is no data. A sample costs ``turns`` turns of a chain of its
own that begins at noise all over the cube of the data. Numbers are scaled to 0 to 1, all by one scale. There is no
log_density. Cost: 16 s a seed for digits of 8 x 8 pixels, 1 s for 2000 samples, one thread.
"""

from dataclasses import dataclass

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl
from ganbench.nn.descent import GaussianNoise, UnitScale, layer, minimise, normal


@dataclass(frozen=True)
class Chain:
    """The network, the std of the noise that corrupts, the noise of what it restores, and the turns of a sample."""

    network: tuple[Tensor, ...]
    corruption: float
    noise: GaussianNoise
    scale: UnitScale
    turns: int

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.turns} turns of the chain a sample"

    def sample(self, n, generator):
        device = generator.device
        network = tuple(one.to(device) for one in self.network)
        x = mean = torch.rand(n, len(network[0]), generator=generator, device=device)
        for _ in range(self.turns):
            mean = restored(corrupted(x, self.corruption, generator), network)
            x = self.noise.added(mean, generator)
        return self.scale.points(x)


def corrupted(x, std, random):
    return x + std * normal(x, random)


def restored(x, network):
    W, b, V, c, U, d = network
    return torch.relu(torch.relu(x @ W + b) @ V + c) @ U + d


def fit(
    training,
    random,
    *,
    noise: PositiveFloat = 0.25,
    width: PositiveInt = 256,
    walkback: PositiveInt = 2,
    steps: PositiveInt = 2000,
    batch: PositiveInt = 100,
    lr: PositiveFloat = 2e-3,
    turns: PositiveInt = 100,
):
    scale = UnitScale.of(training)
    rows = scale.rows(training)
    size = rows.shape[1]
    network = (*layer(size, width, random), *layer(width, width, random), *layer(width, size, random))
    spread = GaussianNoise.of(rows)

    def loss(x):
        total, at = torch.zeros((), device=random.device), x
        for _ in range(walkback):
            mean = restored(corrupted(at, noise, random), network)
            total = total + spread.surprise(x, mean).mean()
            # Where the chain goes next is where it is trained next; the gradient does not follow it there.
            at = spread.added(mean, random).detach()
        return total / walkback

    minimise(loss, [*network, spread.log_std], rows, random, steps=steps, batch=batch, lr=lr)
    return Chain(network, noise, spread, scale, turns)


@hookimpl
def ganbench_references():
    yield Reference("denoising-autoencoder", fit)
