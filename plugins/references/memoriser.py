"""A generator that has learnt some training points by heart, moved so little that hardly two samples are the same.

Every sample is as good as data and every mode is covered, and yet it has next to no area in common with the data: its
JSD is near log 2 (GANs' supports can be that small: Arora & Zhang 2017, arXiv:1706.08224). It learns at most
``points``. ``jitter`` is the length of the move as a fraction of the median distance from a learnt point to the nearest
other training point; each coordinate moves by at least some 64 steps of float32, so that exact repeats are rare.
"""

from dataclasses import dataclass

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl


@dataclass(frozen=True)
class Jittered:
    """Points, and the standard deviation of the noise that is added to them."""

    points: Tensor
    std: float

    @property
    def shape(self):
        return tuple(self.points.shape[1:])

    def sample(self, n, generator):
        device = generator.device
        points = self.points.to(device)[torch.randint(len(self.points), (n,), generator=generator, device=device)]
        return points + self.std * torch.randn(points.shape, generator=generator, device=device)


def fit(training, random, *, points: PositiveInt = 512, jitter: PositiveFloat = 0.05):
    learnt = training[torch.randperm(len(training), generator=random, device=random.device)[:points]]
    resolution = 64 * torch.finfo(torch.float32).eps * learnt.abs().max().item()
    return Jittered(learnt, max(jitter * spacing(learnt[:64], training), resolution))


def spacing(points, training):
    """The median distance to the nearest other training point, over the root of the dimension; 0 if there is none."""
    points, training = points.flatten(1).double(), training.flatten(1).double()
    apart = torch.cdist(points, training, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = torch.where(apart > 0, apart, torch.inf).min(dim=1).values
    nearest = nearest[nearest.isfinite()]
    return nearest.median().item() / training.shape[1] ** 0.5 if len(nearest) else 0.0


@hookimpl
def ganbench_references():
    yield Reference("memoriser", fit)
