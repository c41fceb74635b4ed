"""Checkerboard: uniform on 8 of 16 squares about the origin (FFJORD: Grathwohl et al. 2019, arXiv:1810.01367).

Density with an edge, and corners where squares of full density touch. ``side`` is that of one square.
"""

import math

import numpy as np
import torch
from pydantic import PositiveFloat

from ganbench import Dataset, hookimpl

STEPS = 2**18  # in a square's side; samples are in the middle of one, so that rounding puts none on an edge


class Checkerboard:
    """Squares [column, column + 1] x [row, row + 1], column + row even, each from -2 to 1; times ``side``."""

    shape = (2,)

    def __init__(self, side):
        self.side = side

    def sample(self, n, generator):
        device = generator.device
        column, row = (
            torch.randint(4, (n,), generator=generator, device=device),
            torch.randint(2, (n,), generator=generator, device=device),
        )
        square = torch.stack([column - 2, 2 * row + column % 2 - 2], dim=1)
        return self.side * (square + (torch.randint(STEPS, (n, 2), generator=generator, device=device) + 0.5) / STEPS)

    def log_density(self, x):
        column, row = np.floor(np.asarray(x, np.float64).T / self.side)
        inside = (np.abs(column + 0.5) < 2) & (np.abs(row + 0.5) < 2) & ((column + row) % 2 == 0)
        return np.where(inside, -math.log(8 * self.side**2), -math.inf)


def checkerboard(*, side: PositiveFloat = 2.0):
    return Checkerboard(side)


@hookimpl
def ganbench_datasets():
    yield Dataset("checkerboard", checkerboard)
