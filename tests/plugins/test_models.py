"""Models that no game trains: samplers reach what is known, from their own random numbers, on data of any shape."""

from __future__ import annotations

import itertools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import torch

from ganbench import Mixture, Reference
from ganbench.nn.boltzmann import Boltzmann, coins, trained_machine
from ganbench.nn.descent import UnitScale
from ganbench.plugin.binding import bind

FOLDER = Path(__file__).parents[2] / "plugins" / "models"
FILES = sorted(path.stem for path in FOLDER.glob("*.py"))
#: Sizes at which a fit takes no time, for what does not depend on how good it is.
QUICK = {"steps": 3}


def reference(file: str) -> Reference:
    (value,) = runpy.run_path(str(FOLDER / f"{file}.py"))["ganbench_references"]()
    return value


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fitted(file: str, training: torch.Tensor, seed: int = 1, **parameters: Any) -> Any:
    return bind(reference(file).fit, parameters)({"training": training, "dataset": None, "random": seeded(seed)})


def exact(machine: Boltzmann) -> np.ndarray:
    """The probability of each state of the visible units, (2^visible,), summed over all hidden ones."""
    states = torch.tensor(list(itertools.product((0.0, 1.0), repeat=len(machine.b))))
    free = states @ machine.b + torch.nn.functional.softplus(states @ machine.W + machine.c).sum(1)
    return torch.softmax(free.double(), 0).numpy()


def counts(v: torch.Tensor) -> np.ndarray:
    places = (v @ (2.0 ** torch.arange(v.shape[1] - 1, -1, -1))).long()
    return np.bincount(places.numpy(), minlength=2 ** v.shape[1])


def test_gibbs_chains_reach_the_distribution_of_a_small_machine_which_can_be_summed():
    """16 states, 20,000 chains of 100 steps: chi-square, wrong once in 1000 other random numbers."""
    random = seeded(0)
    machine = Boltzmann(*(1.5 * torch.randn(shape, generator=random) for shape in ((4, 3), 4, 3)))
    v, mean = machine.gibbs(coins(20_000, 4, random), 100, random)
    assert scipy.stats.chisquare(counts(v), 20_000 * exact(machine)).pvalue > 0.001
    # The means that the last bits were drawn with have the expectation of these bits.
    states = np.array(list(itertools.product((0.0, 1.0), repeat=4)))
    known = exact(machine) @ states
    assert np.abs(mean.mean(0).numpy() - known).max() < 4 * 0.5 / np.sqrt(20_000)


def test_a_trained_machine_has_the_distribution_of_its_data():
    """Two patterns of four bits, one twice as frequent, and rare flips: KL below 0.05 nats; of single bits 0.9."""
    random = seeded(1)
    patterns = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    rows = patterns[(torch.rand(3000, generator=random) < 1 / 3).long()]
    flips = torch.rand(rows.shape, generator=random) < 0.05
    rows = torch.where(flips, 1 - rows, rows)
    machine = trained_machine(rows, random, hidden=8, steps=3000, batch=100, chains=100, lr=0.1)
    share = counts(rows) / len(rows)
    kl = scipy.special.rel_entr(share, exact(machine)).sum()
    single = rows.mean(0).numpy()
    alone = np.prod([np.where(s, single, 1 - single) for s in itertools.product((0, 1), repeat=4)], axis=1)
    assert scipy.special.rel_entr(share, alone).sum() > 0.9
    assert kl < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("file", "widest"), [("vae", 0.6), ("denoising_autoencoder", 0.6), ("gsn", 0.7)])
def test_a_model_of_numbers_learns_where_a_gaussian_is_and_how_wide(file, widest):
    """N(1, 1/4) on the line, from 2000 points, with this seed; a GSN's hidden noise widens it by a third."""
    line = Mixture([[1.0]], 0.5)
    x = fitted(file, line.sample(2000, seeded(2)), steps=600).sample(4000, seeded(3))
    assert abs(x.mean().item() - 1) < 0.15
    assert 0.4 < x.std().item() < widest


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("shape", [(1,), (2,), (1, 4, 4)], ids=str)
def test_samples_have_the_datas_shape_for_any_number_of_training_points(file, shape):
    for n in (1, 2, 50):
        found = fitted(file, torch.randn(n, *shape, generator=seeded(n)), **QUICK)
        assert tuple(found.shape) == shape
        for size in (1, 7):
            samples = found.sample(size, seeded(2))
            assert (samples.shape, samples.dtype) == ((size, *shape), torch.float32)
            assert samples.isfinite().all()
            assert not samples.requires_grad
        assert "a sample" in found.note


@pytest.mark.parametrize("file", FILES)
def test_the_same_seeds_give_the_same_samples_and_nothing_global_is_touched(file):
    training = torch.randn(50, 2, generator=seeded(0))
    before = torch.get_rng_state()
    kept = training.clone()
    draws = [
        fitted(file, training, fit, **QUICK).sample(9, seeded(draw)) for fit, draw in ((1, 2), (1, 2), (3, 2), (1, 4))
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(training, kept)


def test_bits_are_the_two_ends_of_the_scale():
    training = 3 + 2 * torch.randint(2, (50, 6), generator=seeded(0)).float()
    found = fitted("rbm", training, **QUICK, bits=True)
    assert set(found.sample(40, seeded(1)).unique().tolist()) == {3.0, 5.0}


def test_the_scale_is_one_for_all_coordinates_and_is_undone():
    points = torch.tensor([[[1.0, 3.0]], [[2.0, 5.0]]])
    scale = UnitScale.of(points)
    assert (scale.low, scale.span, scale.shape) == (1.0, 4.0, (1, 2))
    assert torch.equal(scale.rows(points), torch.tensor([[0.0, 0.5], [0.25, 1.0]]))
    assert torch.equal(scale.points(scale.rows(points)), points)
    assert UnitScale.of(torch.ones(3, 2)).span == 1.0
