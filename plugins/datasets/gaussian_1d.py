"""One Gaussian on the line, the kind of data in figure 1 of the GAN paper (Goodfellow et al. 2014, arXiv:1406.2661).

The paper gives no numbers for its figure; the defaults here are a choice, far enough from 0 that G has a way to go.
"""

from pydantic import FiniteFloat, PositiveFloat

from ganbench import Dataset, Mixture, hookimpl


def gaussian_1d(*, mean: FiniteFloat = 4.0, std: PositiveFloat = 0.5):
    return Mixture([[mean]], std)


@hookimpl
def ganbench_datasets():
    yield Dataset("gaussian-1d", gaussian_1d)
