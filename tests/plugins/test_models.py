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


def two_patterns(random: torch.Generator) -> torch.Tensor:
    """3000 rows: two patterns of four bits, one twice as frequent, and rare flips."""
    patterns = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    rows = patterns[(torch.rand(3000, generator=random) < 1 / 3).long()]
    flips = torch.rand(rows.shape, generator=random) < 0.05
    return torch.where(flips, 1 - rows, rows)


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
    """The patterns of `two_patterns`: KL below 0.05 nats; of single bits 0.9."""
    random = seeded(1)
    rows = two_patterns(random)
    machine = trained_machine(rows, random, hidden=8, steps=3000, batch=100, chains=100, lr=0.1)
    share = counts(rows) / len(rows)
    kl = scipy.special.rel_entr(share, exact(machine)).sum()
    single = rows.mean(0).numpy()
    alone = np.prod([np.where(s, single, 1 - single) for s in itertools.product((0, 1), repeat=4)], axis=1)
    assert scipy.special.rel_entr(share, alone).sum() > 0.9
    assert kl < 0.05


def test_the_chains_of_a_deep_machine_reach_its_distribution_which_can_be_summed():
    """4 visible units below 3 and 2 hidden ones, all 512 states summed by the energy: chi-square, as above."""
    random = seeded(0)
    W, V, b, c, d = (1.5 * torch.randn(shape, generator=random) for shape in ((4, 3), (3, 2), 4, 3, 2))
    weights = np.zeros(16)
    for state in itertools.product((0.0, 1.0), repeat=9):
        v, h, t = torch.tensor(state).split((4, 3, 2))
        place = int(sum(2 ** (3 - at) * bit for at, bit in enumerate(state[:4])))
        weights[place] += float(torch.exp(v @ b + h @ c + t @ d + v @ W @ h + h @ V @ t))
    deep = Boltzmann(torch.cat([W, V.T]), torch.cat([b, d]), c)
    v, _ = deep.gibbs(coins(20_000, 6, random), 100, random)
    assert scipy.stats.chisquare(counts(v[:, :4]), 20_000 * weights / weights.sum()).pvalue > 0.001


def test_the_mean_field_of_a_deep_machine_without_upper_weights_is_exact():
    """Then the upper units hear nothing: each is at its own bias, whatever the data."""
    completed = runpy.run_path(str(FOLDER / "dbm.py"))["completed"]
    machine = Boltzmann(
        torch.cat([torch.ones(4, 3), torch.zeros(2, 3)]), torch.tensor([0.0] * 4 + [1.0, -2.0]), torch.ones(3)
    )
    rows = torch.eye(4)
    found = completed(rows, machine, 3)
    assert torch.equal(found[:, :4], rows)
    assert torch.allclose(found[:, 4:], torch.sigmoid(torch.tensor([1.0, -2.0])).expand(4, 2))


def test_a_trained_deep_machine_has_the_distribution_of_its_data():
    """The patterns of `two_patterns`: KL below 0.1 nats, by the frequencies of 20,000 samples' bits."""
    rows = two_patterns(seeded(1))
    deep = fitted("dbm", rows, hidden=8, top=4, layer_steps=500, steps=3000, lr=0.1)
    v, _ = deep.machine.gibbs(coins(20_000, 8, seeded(2)), 200, seeded(3))
    share, own = counts(rows) / len(rows), (counts(v[:, :4]) + 0.5) / 20_008
    assert scipy.special.rel_entr(share, own).sum() < 0.1


def test_the_step_of_a_contractive_autoencoder_is_along_its_jacobian():
    """Around h the codes have the covariance noise^2 (J J')^2, with J of autograd, as far as 40,000 draws tell."""
    stepped = runpy.run_path(str(FOLDER / "contractive_autoencoder.py"))["stepped"]
    layers = fitted("contractive_autoencoder", torch.rand(200, 3, generator=seeded(0)), width=4, steps=300).layers
    x = torch.tensor([[0.2, 0.5, 0.9]])

    def code(x):
        for each in layers:
            x = each.code(x)
        return x

    J = torch.autograd.functional.jacobian(code, x)[0, :, 0]
    noise = 0.1
    found = stepped(x.expand(40_000, 3), layers, noise, seeded(1))
    steps = code(x) + noise * torch.randn(40_000, 4, generator=seeded(1)) @ (J @ J.T)
    for each in reversed(layers):
        steps = each.decoded(steps)
    assert torch.allclose(found, steps, atol=1e-5)


def test_a_contractive_autoencoder_walks_along_its_data():
    """A segment in the plane, 4 long and 0.1 wide: the walk is along it, and is as wide across as a quarter at most."""
    random = seeded(0)
    along, across = 4 * torch.rand(1000, 1, generator=random) - 2, 0.03 * torch.randn(1000, 1, generator=random)
    x = fitted("contractive_autoencoder", torch.cat([along, along + across], 1), width=32, noise=2.0).sample(
        500, seeded(2)
    )
    apart = (x[:, 1] - x[:, 0]) / 2**0.5
    whole = x.sum(1) / 2**0.5
    assert apart.std() < whole.std() / 4
    assert 0.3 < whole.std() / (along.std() * 2**0.5) < 1.5


def test_a_flow_goes_back_where_it_came_from_and_its_density_is_that_of_its_samples():
    """log_density by autograd: minus the log determinant of the way from z to x, and z's own."""
    training = torch.randn(200, 1, 2, 2, generator=seeded(0))
    found = fitted("flow", training, steps=100, width=16)
    z = torch.randn(5, 4, generator=seeded(1))

    def points(z):
        for each in reversed(found.layers):
            z = each.back(z)
        return found.scale.points(z * found.std + found.mean).flatten(1)

    x = points(z)
    slopes = torch.stack([torch.autograd.functional.jacobian(lambda one: points(one[None])[0], each) for each in z])
    known = -z.square().sum(1) / 2 - 2 * np.log(2 * np.pi) - torch.linalg.slogdet(slopes).logabsdet
    assert np.allclose(found.log_density(x.view(5, 1, 2, 2).double().numpy()), known.numpy(), atol=1e-3)


def test_the_density_of_a_flow_is_zukos_with_the_same_networks():
    """The couplings and the change of variables of the package zuko, in double precision."""
    zuko = pytest.importorskip("zuko")
    found = fitted("flow", torch.randn(200, 5, generator=seeded(0)) ** 3, steps=100, width=16)
    size = 5

    def coupling(each):
        first, order = each.asked.sort().values, each.changed.argsort()

        def affine(x):
            logs, added = each.factors(x.new_zeros(len(x), size).index_copy(1, first, x))
            base = torch.distributions.AffineTransform(added[:, order], logs[:, order].exp())
            return torch.distributions.IndependentTransform(base, 1)

        return zuko.transforms.CouplingTransform(
            affine, torch.zeros(size, dtype=torch.bool).index_fill(0, each.asked, True)
        )

    layers = [coupling(each.to("cpu", torch.float64)) for each in found.layers]
    base = torch.distributions.Normal(torch.zeros(size).double(), torch.ones(size).double())
    flow = torch.distributions.TransformedDistribution(
        torch.distributions.Independent(base, 1), [each.inv for each in reversed(layers)]
    )
    x = torch.randn(50, size, generator=seeded(1)).double()
    known = flow.log_prob((found.scale.rows(x) - found.mean) / found.std)
    known = known - found.std.double().log().sum() - size * np.log(found.scale.span)
    assert np.allclose(found.log_density(x.numpy()), known.detach().numpy(), rtol=1e-9)


def test_a_flow_learns_a_gaussian_in_the_plane_whose_likelihood_is_known():
    """Its mean log density of fresh points is within 0.05 nats of minus the entropy; that of the marginals is not."""
    factor = torch.tensor([[1.0, 0.0], [0.9, 0.3]])
    train, fresh = (torch.randn(3000, 2, generator=seeded(seed)) @ factor.T for seed in (1, 2))
    best = -np.log(2 * np.pi * np.e) - np.log(0.3)
    found = fitted("flow", train, noise=0.005, layers=4, width=32, steps=1500)
    assert abs(found.log_density(fresh.double().numpy()).mean() - best) < 0.05
    assert np.allclose(torch.cov(found.sample(4000, seeded(3)).T).numpy(), (factor @ factor.T).numpy(), atol=0.1)


@pytest.mark.parametrize("shape", [(1,), (2,), (1, 3, 3)], ids=str)
def test_an_untrained_flow_is_the_gaussian_of_each_coordinate(shape):
    """Its layers change nothing at first: the density has the mean and the std of each coordinate."""
    training = 3 + 2 * torch.randn(100, *shape, generator=seeded(0))
    found = fitted("flow", training, steps=1, lr=1e-12, noise=1e-6)
    rows = training.flatten(1).double()
    known = torch.distributions.Normal(rows.mean(0), rows.std(0, correction=0)).log_prob(rows).sum(1)
    assert np.allclose(found.log_density(training.double().numpy()), known.numpy(), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "widest"), [("vae", 0.6), ("flow", 0.6), ("denoising_autoencoder", 0.6), ("gsn", 0.7)]
)
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
