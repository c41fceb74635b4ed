"""The centres of k-means of the training points, each as often as it has points (Lloyd 1982, IEEE Trans. IT 28).

k-means seeks the distribution on ``k`` points that is nearest to the data in Wasserstein-2 distance (Pollard 1982, IEEE
Trans. IT 28), so distances forgive this row, and Parzen windows even prefer such centres to data (Theis et al. 2016,
arXiv:1511.01844). It has no density: its JSD is log 2. There are at most ``k`` centres, of at most ``points`` points.
Cost: 0.15 s a seed in the plane, 5 s in 784 dimensions, one thread.
"""

from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import torch
from pydantic import PositiveInt
from torch import Tensor

from ganbench import Reference, hookimpl


@dataclass(frozen=True)
class Centres:
    """Points, and how often each is drawn."""

    points: Tensor
    weights: Tensor

    @property
    def shape(self):
        return tuple(self.points.shape[1:])

    def sample(self, n, generator):
        drawn = torch.multinomial(self.weights.to(generator.device), n, replacement=True, generator=generator)
        return self.points.to(generator.device)[drawn]


def fit(training, random, *, k: PositiveInt = 512, points: PositiveInt = 10_000):
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    chosen = training[torch.randperm(len(training), generator=random, device=random.device)[:points]]
    flat = chosen.flatten(1).double().cpu().numpy()
    seed = int(torch.randint(2**31, (1,), generator=random, device=random.device))
    with catch_warnings():
        # Fewer distinct points than centres: some centres are then of no points, and never drawn.
        simplefilter("ignore", ConvergenceWarning)
        found = KMeans(min(k, len(flat)), n_init=1, random_state=seed).fit(flat)
    centres = torch.tensor(found.cluster_centers_, dtype=torch.float32, device=training.device)
    weights = torch.bincount(torch.tensor(found.labels_, device=training.device).long(), minlength=len(centres))
    return Centres(centres.view(-1, *training.shape[1:]), weights.float())


@hookimpl
def ganbench_references():
    yield Reference("k-means", fit)
