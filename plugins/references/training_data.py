"""The training points, each drawn once while they last: a lookup table (Theis et al. 2016, arXiv:1511.01844).

Nobody who has not seen the training set can tell them from data, as long as none is drawn twice: a measure scores this
row as the oracle unless it looks there. When they are used up, all are drawn again, in another order.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench import Reference, hookimpl


@dataclass(frozen=True)
class Finite:
    """Points that are drawn without replacement, round after round."""

    points: Tensor

    @property
    def shape(self):
        return tuple(self.points.shape[1:])

    def sample(self, n, generator):
        points = self.points.to(generator.device)
        rounds = range(0, n, len(points))
        order = [torch.randperm(len(points), generator=generator, device=generator.device) for _ in rounds]
        return points[torch.cat(order)[:n]]


def fit(training):
    return Finite(training)


@hookimpl
def ganbench_references():
    yield Reference("training-data", fit)
