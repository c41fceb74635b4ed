"""Distributions that know their counterparts, which have a planted fault; material of the checks' data sets."""

import math

import torch

from ganbench import Mixture

#: Of the rows that a set of fixed size is drawn from: its own random numbers.
FIXED = 2505


class Faulty(Mixture):
    """A mixture of Gaussians with its counterparts; ``std`` and ``weights`` as of a Mixture."""

    def __init__(self, means, std, counterparts=(), weights=None):
        super().__init__(means, std, weights)
        self.counterparts = tuple(counterparts)


class Drawn:
    """``draw(normal, uniform)`` makes rows of ``dimension`` numbers of as many rows of random numbers.

    ``points``: if given, the held-out data are so many rows, and always the same.
    """

    def __init__(self, dimension, draw, counterparts=(), points=None):
        self.shape = (dimension,)
        self.draw = draw
        self.counterparts = tuple(counterparts)
        if points is not None:
            self.held_out = self.sample(points, torch.Generator().manual_seed(FIXED))

    def sample(self, n, generator):
        size = (n, max(self.shape[0], 2))
        normal = torch.randn(size, generator=generator, device=generator.device)
        uniform = torch.rand(size, generator=generator, device=generator.device)
        if self.shape[0] == 1:
            return self.draw(normal[:, :1], uniform[:, :1])
        return self.draw(normal, uniform)


class Outlying:
    """Samples of ``most``, of which the first is one point far out, ``far`` in each coordinate."""

    def __init__(self, most, far, counterparts):
        self.shape = most.shape
        self.most, self.far = most, far
        self.counterparts = tuple(counterparts)

    def sample(self, n, generator):
        samples = self.most.sample(n, generator)
        samples[0] = self.far
        return samples


def with_outlier(most, far, counterparts=()):
    return Outlying(most, far, counterparts)


def gaussian(dimension, mean=0.0, std=1.0):
    return Faulty([[mean] * dimension], std)


def sphere(dimension, radius=1.0):
    """Uniform on the surface of a sphere."""
    return lambda normal, uniform: radius * normal / normal.norm(dim=1, keepdim=True)


def ball(radius):
    """Uniform in a ball of three dimensions."""

    def draw(normal, uniform):
        return radius * uniform[:, :1] ** (1 / 3) * normal / normal.norm(dim=1, keepdim=True)

    return draw


def torus(radius):
    """A disc of this radius, uniform, turned about the third axis at distance 1."""

    def draw(normal, uniform):
        disc = radius * uniform[:, :1].sqrt() * normal[:, :2] / normal[:, :2].norm(dim=1, keepdim=True)
        angle, out = 2 * math.pi * uniform[:, 1], 1 + disc[:, 0]
        return torch.stack([out * angle.cos(), out * angle.sin(), disc[:, 1]], dim=1)

    return draw


def rounded(scale):
    return lambda normal, uniform: (scale * normal).round()
