"""One point on the line, the data of the Dirac-GAN (Mescheder et al. 2018, arXiv:1801.04406, definition 2.1).

With a generator that is a point as well and a linear discriminator, a game's own dynamics show: whether they converge,
orbit or diverge. There is no density. ``at`` is rounded to float32.
"""

import torch
from pydantic import FiniteFloat

from ganbench import Dataset, hookimpl


class Dirac:
    """Samples (n, 1), all ``at``."""

    shape = (1,)

    def __init__(self, at):
        self.at = at

    def sample(self, n, generator):
        return torch.full((n, 1), self.at, dtype=torch.float32, device=generator.device)


def dirac(*, at: FiniteFloat = 0.0):
    return Dirac(at)


@hookimpl
def ganbench_datasets():
    yield Dataset("dirac", dirac)
