"""Square grid of Gaussians, 5 x 5 of std 0.05 at spacing 2 by default (PacGAN: Lin et al. 2018, arXiv:1712.04086).

Centred on the origin: the default's means are (-4, -2, 0, 2, 4) in both coordinates.
"""

from pydantic import PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def grid(*, side: PositiveInt = 5, spacing: PositiveFloat = 2.0, std: PositiveFloat = 0.05):
    places = [spacing * (k - (side - 1) / 2) for k in range(side)]
    return Mixture([[x, y] for x in places for y in places], std)


@hookimpl
def ganbench_datasets():
    yield Dataset("grid", grid)
