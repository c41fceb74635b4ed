"""MGAN (Hoang et al. 2018, arXiv:1708.02556): a mixture of generators, which a classifier tells apart.

The generators are the variant's own, and share all layers but the first; the classifier C shares all of D's but the
last. C learns which generator a sample is from, and the generators, besides deceiving D, make it easy for C: so they
part. The first number of a latent draws its generator; public code gives each an equal share of every batch instead,
with the same noise. Defaults as in public code for CIFAR-10, which trains C with the weight 1, not beta.
"""

from math import prod

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from ganbench import Loss, Networks, hookimpl, split_head


class Choice(nn.Module):
    """Which generator a latent draws: 1 for that one, 0 for the others, (n, generators)."""

    def __init__(self, generators, distribution):
        super().__init__()
        self.generators, self.distribution = generators, distribution

    def forward(self, z):
        first = z[:, 0]
        chance = torch.special.ndtr(first) if self.distribution == "normal" else (first + 1) / 2
        which = (self.generators * chance).floor().clamp(0, self.generators - 1)
        return (which[:, None] == torch.arange(self.generators, device=z.device)).to(z.dtype)


class Generators(nn.Module):
    """The first layer of each generator, of which a latent's own is heard, and the layers that they share."""

    def __init__(self, choice, firsts, shared, latent):
        super().__init__()
        self.choice, self.firsts, self.shared, self.latent = choice, nn.ModuleList(firsts), shared, latent

    def forward(self, z):
        noise = z[:, 1:].reshape(len(z), *self.latent)
        hidden = torch.stack([first(noise) for first in self.firsts], dim=1)
        own = self.choice(z).reshape(len(z), len(self.firsts), *[1] * (hidden.dim() - 2))
        return self.shared((own * hidden).sum(1))


def players(build, shape, *, generators: PositiveInt = 10):
    base = build(shape)
    others = [build(shape).generator for _ in range(generators - 1)]
    if not isinstance(base.generator, nn.Sequential):
        raise ValueError("the generators are made of a generator that is an nn.Sequential")
    # The first layer with parameters, and what stands before it.
    own = next(end for end, layer in enumerate(base.generator, 1) if [*layer.parameters()])
    choice = Choice(generators, base.latent_distribution)
    firsts = [generator[:own] for generator in (base.generator, *others)]
    features, width = split_head(base.discriminator)
    return Networks(
        Generators(choice, firsts, base.generator[own:], base.latent),
        base.discriminator,
        (1 + prod(base.latent),),
        base.latent_distribution,
        generator_parts={"choice": choice},
        discriminator_parts={"C": nn.Sequential(*features, nn.Linear(width, generators))},
    )


def discriminator(d_real, d_fake, C, choice, fake, z):
    return softplus(-d_real).mean() + softplus(d_fake).mean() + cross_entropy(C(fake), choice(z))


def generator(d_fake, C, choice, fake, z, *, beta: NonNegativeFloat = 0.01):
    return softplus(-d_fake).mean() + beta * cross_entropy(C(fake), choice(z))


@hookimpl
def ganbench_losses():
    yield Loss("mgan", discriminator, generator, probability=True, players=players, parts=("choice", "C"))
