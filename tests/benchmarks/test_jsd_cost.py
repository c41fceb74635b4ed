"""What an estimate of the JSD costs: ``pytest tests/benchmarks/test_jsd_cost.py --benchmark-enable``.

One seed of 10,000 samples, on as many threads as torch is given (``OMP_NUM_THREADS=1`` for one). Without
``--benchmark-enable`` each case runs once, so that none of this rots.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsds
from ganbench.metrics.jsd_neighbours import neighbour_jsd

N = 10_000
ANGLES = 2 * np.pi * np.arange(8) / 8
DATA = {
    "ring": Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02),
    "grid": Mixture([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], 0.05),
}


@pytest.fixture(params=DATA)
def mixture(request) -> Mixture:
    return DATA[request.param]


@pytest.fixture
def samples(mixture) -> torch.Tensor:
    """Those of a generator a little off."""
    return mixture.sample(N, torch.Generator().manual_seed(1)) + 0.3 * float(mixture.std[0])


@pytest.mark.parametrize("guard", [False, True], ids=["every", "final"])
def test_jsd(benchmark, mixture, samples, guard):
    benchmark.group = "jsd, 10,000 samples"
    assert not benchmark(lambda: jsds(samples[None], mixture, guard=guard))[0].flagged


def test_neighbours(benchmark, mixture, samples):
    benchmark.group = "jsd, 10,000 samples"
    real = mixture.sample(N, torch.Generator().manual_seed(2)).numpy()
    assert benchmark(lambda: neighbour_jsd(samples.numpy(), real)).value < 0.1
