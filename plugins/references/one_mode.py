"""Mode collapse at its most complete (Goodfellow 2016, arXiv:1701.00160, section 5.1.1): one mode, made perfectly.

Of a Mixture, the heaviest mode alone (the first of those that weigh the same). Of other data, whose modes are unknown,
a training point and those nearest to it, a ``share`` of all, drawn with replacement: real data all the same.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from ganbench import Mixture, Reference, hookimpl


@dataclass(frozen=True)
class Neighbourhood:
    """Points that are drawn with replacement."""

    points: Tensor

    @property
    def shape(self):
        return tuple(self.points.shape[1:])

    def sample(self, n, generator):
        device = generator.device
        return self.points.to(device)[torch.randint(len(self.points), (n,), generator=generator, device=device)]


def fit(training, dataset, random, *, share: Annotated[float, Field(gt=0, le=1)] = 0.1):
    if isinstance(dataset, Mixture):
        heaviest = dataset.weights.argmax()
        return Mixture(dataset.means[[heaviest]], dataset.std[heaviest])
    centre = training[torch.randint(len(training), (1,), generator=random, device=random.device)]
    distance = (training - centre).flatten(1).norm(dim=1)
    return Neighbourhood(training[distance.argsort()[: max(1, round(share * len(training)))]])


@hookimpl
def ganbench_references():
    yield Reference("one-mode", fit)
