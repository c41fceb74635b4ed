"""Ring of Gaussians, 8 of std 0.02 at radius 2 by default (Metz et al. 2017, Unrolled GAN, arXiv:1611.02163).

The modes are distinct: the paper's public notebook places them with ``linspace(0, 2 pi, 8)``, both ends included, so
two of its eight coincide. Other papers' rings have other radii and stds: set them, and say them.
"""

import math

from pydantic import PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def ring(*, modes: PositiveInt = 8, radius: PositiveFloat = 2.0, std: PositiveFloat = 0.02):
    angles = [2 * math.pi * k / modes for k in range(modes)]
    return Mixture([[radius * math.cos(a), radius * math.sin(a)] for a in angles], std)


@hookimpl
def ganbench_datasets():
    yield Dataset("ring", ring)
