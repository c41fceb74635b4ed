"""The data sets of the suite hard, and whether their measures see what a generator has lost there."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ganbench.data.mixture import Mixture
from ganbench.metrics.divergence import divergences
from ganbench.metrics.modes import count_modes
from ganbench.metrics.points import from_tensor
from ganbench.suite.load import find, load
from ganbench.train.data import build_dataset

N = 10_000
MIXTURES = ("rare8", "grid100", "turning8", "dim10", "dim100")


@pytest.fixture(scope="module")
def data(shipped):
    suite = load(find("hard"), shipped)
    return {name: choice.entry.build(choice.parameters) for name, choice in suite.datasets.items()}


def drawn(distribution, seed=0, n=N):
    return distribution.sample(n, torch.Generator().manual_seed(seed))


def without(mixture, lost):
    """The mixture without the modes that are lost."""
    kept = [k for k in range(mixture.modes) if k not in lost]
    return Mixture(mixture.means[kept], mixture.std[kept].tolist(), mixture.weights[kept].tolist())


def lightest(mixture):
    return int(mixture.weights.argmin())


@pytest.mark.parametrize("name", MIXTURES)
def test_the_data_itself_has_all_modes_and_one_rare_mode_dropped_is_missed(name, data):
    """At 10,000 samples, of 5 seeds: the oracle's count is never short, and a dropped mode is always seen."""
    for seed in range(5):
        assert count_modes(from_tensor(drawn(data[name], seed)), data[name]).covered == data[name].modes
        lost = without(data[name], {lightest(data[name])})
        assert count_modes(from_tensor(drawn(lost, seed)), data[name]).covered == data[name].modes - 1


def test_the_oracle_of_rare_modes_is_never_short_of_one_by_chance(data):
    """25 samples of a rare mode are expected, 5 cover it: fewer come once in a million evaluations (Poisson)."""
    mixture = data["rare8"]
    mean = N * mixture.weights.min() * (1 - math.exp(-4.5))
    chance = math.exp(-mean) * sum(mean**k / math.factorial(k) for k in range(math.ceil(0.2 * mean)))
    assert 4 * chance < 1e-5


def test_rare_modes_that_are_dropped_cost_the_divergence_that_theory_says(data):
    """JSD of p and q = p without a share w: too little to be seen by itself, so the count of modes must see it."""
    mixture = data["rare8"]
    rare = {1, 3, 5, 7}
    w = mixture.weights[sorted(rare)].sum()
    known = ((1 - w) * math.log((1 - w) / (1 - w / 2)) + w * math.log(2) - math.log(1 - w / 2)) / 2
    assert known == pytest.approx(0.0034, abs=5e-5)
    samples = torch.stack([drawn(without(mixture, rare), seed) for seed in range(4)])
    found = divergences(samples, mixture, None, final=False)
    assert np.mean([one.value for one in found]) == pytest.approx(known, abs=0.002)
    assert count_modes(from_tensor(samples[0]), mixture).covered == 4


@pytest.mark.parametrize("name", MIXTURES[:3])
def test_the_divergence_is_at_its_floor_for_the_data_and_far_off_for_one_mode(name, data):
    mixture = data[name]
    single = without(mixture, set(range(mixture.modes)) - {int(mixture.weights.argmax())})
    right, one = (divergences(drawn(it)[None], mixture, None, final=True)[0] for it in (mixture, single))
    assert right.value < 0.01
    assert one.value > 0.3


def test_before_its_turn_the_ring_has_nothing_in_common_with_what_it_becomes(data):
    before, after = data["turning8"].phases[0][1], data["turning8"]
    found = divergences(drawn(before)[None], after, None, final=False)[0]
    assert found.value > 0.6
    assert count_modes(from_tensor(drawn(before)), after).covered == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dim10", "dim100"])
def test_in_many_dimensions_the_lower_bound_tells_a_lost_mode_from_chance(name, data):
    """Of 2,000 samples: the data's own bound includes its floor, that of a generator without one mode does not."""
    mixture, n = data[name], 2000
    real = drawn(mixture, 1, n)
    samples = torch.stack([drawn(mixture, 2, n), drawn(without(mixture, {0}), 2, n)])
    right, lost = divergences(samples, mixture, torch.stack([real, real]), final=True)
    assert right.low <= 0.005
    assert lost.low > 0.01


def test_the_suite_has_a_control_and_its_data_sets_are_built(data, shipped):
    suite = load(find("hard"), shipped)
    assert any("fails" in expected.values() for expected in suite.expect.values())
    for choice in suite.datasets.values():
        build_dataset(choice)
