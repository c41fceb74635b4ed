"""BourGAN (Xiao et al. 2018, arXiv:1805.07674): latents from a mixture that is spread as the data is, distances kept.

A sample of the data is embedded in a Euclidean space by its distances to random subsets of itself (Bourgain 1985),
which keeps all distances up to a factor of order log n; narrow Gaussians about the embedded points are the latent
mixture. The generator's further term keeps log distances: those of its samples are to be those of their latents.
Settings as in public code: subsets of the chances 1/2, 1/4, ... 1/n, 5 of each, coordinates of mean square 1, Gaussians
of standard deviation 0.01, alpha 0.1. It scales latent distances by the maximum of sqrt(distance / latent distance),
which makes them equal nowhere; here by what makes the mean logarithms equal, where the term is least.
"""

from math import ceil, log2, sqrt
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn
from torch.nn.functional import softplus

from ganbench import Loss, Networks, hookimpl

#: Distances of so many points give the scale of latents: of all pairs of thousands it takes longer than the embedding.
SCALED = 512
#: Added to squared distances, whose logarithm and root have no derivative at 0.
TINY = 1e-12


def bourgain(points, repeats):
    """The embedding of points, (n, ...) -> (n, repeats * ceil(log2 n)): distances to random subsets."""
    flat = points.flatten(1)
    distance = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    columns = []
    for scale in range(1, ceil(log2(len(flat))) + 1):
        for _ in range(repeats):
            subset = torch.rand(len(flat)) < 2.0**-scale
            columns.append(distance[subset].amin(0) if subset.any() else torch.zeros(len(flat)))
    return torch.stack(columns, dim=1)


class Mixture(nn.Module):
    """Standard normal numbers, (n, 1 + dimension), as draws of the mixture: the first one chooses the centre."""

    def __init__(self, centres, noise):
        super().__init__()
        self.register_buffer("centres", centres)
        self.noise = noise

    def forward(self, z):
        index = (torch.special.ndtr(z[:, 0]) * len(self.centres)).long().clamp(max=len(self.centres) - 1)
        return self.centres[index] + self.noise * z[:, 1:]


class Scale(nn.Module):
    """A factor."""

    def __init__(self, factor):
        super().__init__()
        self.register_buffer("factor", factor)

    def forward(self, x):
        return self.factor * x


def players(
    build,
    shape,
    data,
    *,
    points: Annotated[int, Field(ge=2)] = 512,
    repeats: PositiveInt = 5,
    noise: NonNegativeFloat = 0.01,
):
    base, sample = build(shape), data(points).flatten(1)
    layers = [*base.generator] if isinstance(base.generator, nn.Sequential) else []
    first = next((at for at, layer in enumerate(layers) if isinstance(layer, nn.Linear)), None)
    if first is None:
        raise ValueError("a latent of another size is had by a generator that is an nn.Sequential with an nn.Linear")
    centres = bourgain(sample, repeats)
    centres = centres - centres.mean(0)
    dimension = centres.shape[1]
    centres = centres * (sqrt(dimension) / centres.square().sum(1).mean().sqrt())
    both = torch.pdist(sample[:SCALED]), torch.pdist(centres[:SCALED])
    apart = (both[0] > 0) & (both[1] > 0)
    scale = (both[0][apart].log() - both[1][apart].log()).mean().exp()
    mixture = Mixture(centres, noise)
    layers[first] = nn.Linear(dimension, layers[first].out_features)
    return Networks(
        nn.Sequential(mixture, *layers),
        base.discriminator,
        (1 + dimension,),
        generator_parts={"latent": nn.Sequential(mixture, Scale(scale))},
    )


def log_distance(x, y):
    return ((x - y).flatten(1).square().sum(1) + TINY).log() / 2


def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(d_fake, G, latent, fake, z, random, *, alpha: NonNegativeFloat = 0.1):
    other = random.normal(*z.shape)
    kept = (log_distance(fake, G(other)) - log_distance(latent(z), latent(other))).square().mean()
    return softplus(-d_fake).mean() + alpha * kept


@hookimpl
def ganbench_losses():
    yield Loss("bourgan", discriminator, generator, probability=True, players=players, parts=("latent",))
