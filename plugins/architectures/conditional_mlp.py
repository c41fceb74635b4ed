"""Conditional perceptrons: both players are given the class of each sample (Mirza and Osindero 2014, arXiv:1411.1784).

The value is that of equation 2, E log D(x|y) + E log(1 - D(G(z|y))). y is one-hot, as in the paper, and joined to the
input of both players. G is asked for the classes of the batch's real samples, so for each as often as the data have it,
and a point between a real and a generated sample is of their common class. ``projection``: D(x, y) is y'V phi(x) +
psi(phi(x)), phi all layers but the last (Miyato and Koyama 2018, arXiv:1802.05637, equation 3).
"""

from math import prod
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from ganbench import Architecture, Networks, hookimpl


def hidden(inputs, width, depth):
    sizes = [inputs] + [width] * depth
    for index in range(depth):
        yield nn.Linear(sizes[index], width)
        yield nn.ReLU()


class OneHot(nn.Module):
    """The class of each row: (n,) -> (n, classes)."""

    def __init__(self, classes):
        super().__init__()
        self.register_buffer("each", torch.arange(classes))

    def forward(self, label):
        return (label[:, None] == self.each).float()


class Joined(nn.Module):
    """A network of the input and the one-hot class, joined."""

    def __init__(self, network, classes):
        super().__init__()
        self.one_hot, self.network = OneHot(classes), network

    def forward(self, x, label):
        return self.network(torch.cat([x.flatten(1), self.one_hot(label)], 1))


class Projection(nn.Module):
    """The projection discriminator; ``V`` has a row for each class."""

    def __init__(self, features, width, classes):
        super().__init__()
        self.one_hot, self.features = OneHot(classes), features
        self.psi, self.V = nn.Linear(width, 1), nn.Linear(classes, width, bias=False)

    def forward(self, x, label):
        phi = self.features(x.flatten(1))
        return self.psi(phi) + (self.V(self.one_hot(label)) * phi).sum(1, keepdim=True)


def conditional_mlp(
    shape,
    classes,
    *,
    width: PositiveInt = 128,
    depth: PositiveInt = 2,
    latent: PositiveInt = 2,
    discriminator: Literal["joined", "projection"] = "joined",
):
    size = prod(shape)
    G = nn.Sequential(*hidden(latent + classes, width, depth), nn.Linear(width, size), nn.Unflatten(1, shape))
    if discriminator == "joined":
        D = Joined(nn.Sequential(*hidden(size + classes, width, depth), nn.Linear(width, 1)), classes)
    else:
        D = Projection(nn.Sequential(*hidden(size, width, depth)), width, classes)
    return Networks(Joined(G, classes), D, (latent,), classes=classes)


@hookimpl
def ganbench_architectures():
    yield Architecture("conditional-mlp", conditional_mlp)
