"""A cell's seeds are runs of their own, each player has its own optimiser, and evaluation is the seed's and step's."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch.utils._pytree import tree_map

from ganbench.plugin.registry import Registry
from ganbench.run.evaluate import bind_metrics
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset
from ganbench.train.reference import reference_inputs
from ganbench.train.trainer import Trainer

ALL = frozenset({"samples", "real", "d_real", "d_fake"})

#: Generators and discriminators whose outputs a dropout would set to exactly 0; each has a buffer drawn at random.
DROPOUT = """'''A test's plugin.'''
import torch
from torch import nn
from ganbench import Architecture, Networks, hookimpl

class Shifted(nn.Module):
    def __init__(self, outputs, p):
        super().__init__()
        self.linear, self.dropout = nn.Linear(2, outputs), nn.Dropout(p)
        self.register_buffer("shift", 10 + torch.rand(outputs))

    def forward(self, x):
        return self.dropout(self.linear(x) + self.shift)

def build(shape, *, p: float = 0.5):
    return Networks(Shifted(2, p), Shifted(1, p), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("dropout", build)
"""
ORACLE = """
suite: oracle
seeds: 20
budget: {steps: 1}
evaluate: {samples: 10000}
datasets: {ring8: ring, grid25: grid}
variants: {it: {loss: minimax}}
metrics: [jsd, modes]
"""


@pytest.fixture
def trainer(cell, shipped, cpu):
    def build(variant="{loss: nonsaturating}", seeds=3, registry=shipped, engine="eager"):
        one = cell(variant, seeds=seeds, registry=registry)
        return Trainer([one], cpu, engine)

    return build


@pytest.fixture
def dropout(tmp_path, trainer):
    (tmp_path / "dropout.py").write_text(DROPOUT)
    registry = Registry.load(extra=tmp_path)
    assert not registry.broken

    def build(p=0.5, seeds=3):
        variant = f"{{loss: nonsaturating, architecture: {{name: dropout, p: {p}}}}}"
        return trainer(variant, seeds, registry, "auto")

    return build


def test_every_seed_starts_from_weights_of_its_own(trainer):
    """They differ between seeds, and are those that the seed has when it trains alone."""
    together = trainer(seeds=[3, 5, 8])
    for at, player in enumerate(together.start.players):
        assert not any(torch.equal(a, b) for a, b in combinations(player.theta, 2))
        for replica, seed in enumerate([3, 5, 8]):
            assert torch.equal(player.theta[replica], trainer(seeds=[seed]).start.players[at].theta[0])


@pytest.mark.parametrize("engine", ["eager", "serial"])
def test_players_count_their_updates(engine, trainer):
    """t, which Adam's bias correction needs, goes on from slice to slice."""
    one = trainer("{loss: minimax, update: {name: alternating, discriminator_steps: 3}}", engine=engine)
    state = one.advance(one.advance(one.start, 0, 5), 5, 7)
    assert state.players.D.t.tolist() == [21, 21, 21]
    assert state.players.G.t.tolist() == [7, 7, 7]
    assert [player.t.tolist() for player in one.start.players] == [[0, 0, 0]] * 2


@pytest.mark.parametrize(("still", "moving"), [("generator", "discriminator"), ("discriminator", "generator")])
def test_each_player_has_its_own_optimizer(still, moving, trainer):
    """The one whose rate is 1e-30 stays where it is."""
    one = trainer(f"{{loss: nonsaturating, optimizer: {{name: sgd, lr: 0.1, {still}: {{lr: 1.0e-30}}}}}}")
    players = one.advance(one.start, 0, 5).players
    places = {"discriminator": 0, "generator": 1}
    assert torch.equal(players[places[still]].theta, one.start.players[places[still]].theta)
    assert not torch.isclose(players[places[moving]].theta, one.start.players[places[moving]].theta).all()


def test_an_outcome_is_the_seeds_own(trainer):
    """Each replica's samples and logits are those of its seed trained and evaluated alone."""
    together = trainer(seeds=[3, 5, 8])
    state = together.advance(together.start, 0, 10)
    outcomes = [together.metric_inputs(state, 10, replica, ALL, final=False) for replica in range(3)]
    for name in sorted(ALL):
        assert not any(torch.allclose(a[name], b[name]) for a, b in combinations(outcomes, 2))
    for seed, outcome in zip([3, 5, 8], outcomes, strict=True):
        one = trainer(seeds=[seed])
        alone = one.metric_inputs(one.advance(one.start, 0, 10), 10, 0, ALL, final=False)
        for name in sorted(ALL):
            torch.testing.assert_close(outcome[name], alone[name], atol=1e-4, rtol=1e-4)


def test_an_outcome_is_the_same_each_time_and_its_samples_others_at_each_step(trainer):
    one = trainer()
    first, again, later = (one.metric_inputs(one.start, step, 1, ALL, final=False) for step in (50, 50, 100))
    for name in sorted(ALL):
        assert torch.equal(first[name], again[name])
    for name in ("samples", "d_fake"):
        assert not torch.allclose(first[name], later[name])
    assert torch.equal(first["real"], later["real"])


@pytest.mark.parametrize(("distribution", "std"), [("normal", 1.0), ("uniform", 3**-0.5)])
def test_latents_are_the_seeds_own_and_of_the_distribution_asked_for(distribution, std, trainer):
    """Seen through generators that pass them on as they are: N(0, 1), or uniform on (-1, 1); std within 5 errors."""
    variant = f"{{loss: minimax, architecture: {{name: mlp, depth: 0, latent_distribution: {distribution}}}}}"
    one = trainer(variant)
    one.start.players.G.theta[:] = torch.tensor([1.0, 0, 0, 1, 0, 0])
    latents = [one.metric_inputs(one.start, 0, replica, ALL, final=False)["samples"] for replica in range(3)]
    assert not any(torch.allclose(a, b) for a, b in combinations(latents, 2))
    everything = torch.stack(latents)
    assert everything.mean().item() == pytest.approx(0, abs=5 * std / 3000**0.5)
    assert everything.std().item() == pytest.approx(std, abs=5 * std / 6000**0.5)
    assert bool((everything.abs() < 1).all()) == (distribution == "uniform")


def test_every_variant_is_judged_on_the_same_latents_and_held_out_data(trainer):
    """Two variants whose networks start alike give the same samples: comparisons are paired."""
    one, other = trainer(), trainer("{loss: wgan-gp, update: simultaneous}")
    a, b = (each.metric_inputs(each.start, 50, 1, ALL, final=False) for each in (one, other))
    assert all(torch.equal(a[name], b[name]) for name in ALL)


def test_an_outcome_has_what_is_asked_for_at_the_size_the_suite_sets(trainer):
    one = trainer()
    few = one.metric_inputs(one.start, 0, 0, frozenset({"samples"}), final=True)
    assert {name for name, value in few.items() if value is not None} == {"samples", "dataset", "loss", "final"}
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in one.metric_inputs(one.start, 0, 0, ALL, final=False).items()
        if name in ALL
    }
    assert shapes == {"samples": (500, 2), "real": (500, 2), "d_real": (500,), "d_fake": (500,)}


def test_d_real_is_of_data_and_d_fake_of_samples(trainer):
    """Evaluated by hand from the discriminator's parameters: without hidden layers, w . x + b."""
    one = trainer("{loss: minimax, architecture: {name: mlp, depth: 0}}")
    w1, w2, b = one.start.players.D.theta[2]
    outcome = one.metric_inputs(one.start, 0, 2, ALL, final=False)
    for logits, x in ((outcome["d_real"], outcome["real"]), (outcome["d_fake"], outcome["samples"])):
        torch.testing.assert_close(logits, x @ torch.stack([w1, w2]) + b)


def test_evaluation_is_without_dropout_and_training_with_it(dropout):
    one, without = dropout(), dropout(p=0.0)
    outcome = one.metric_inputs(one.start, 50, 1, ALL, final=False)
    plain = without.metric_inputs(without.start, 50, 1, ALL, final=False)
    for name in sorted(ALL):
        assert torch.equal(outcome[name], plain[name])
        assert (outcome[name] != 0).all()
    a, b = (each.advance(each.start, 0, 5) for each in (one, without))
    assert not torch.allclose(a.players.D.theta, b.players.D.theta)


def test_evaluating_leaves_training_as_it_is(dropout):
    one, other = dropout(), dropout()
    one.metric_inputs(one.start, 0, 0, ALL, final=False)
    a, b = (each.advance(each.start, 0, 5) for each in (one, other))
    assert all(torch.equal(x.theta, y.theta) for x, y in zip(a.players, b.players, strict=True))


def test_a_networks_buffers_are_the_seeds_own(dropout):
    """With all parameters at 0 what is left of a generator is its buffer, drawn when the seed was initialised."""
    one = dropout()
    blank = tree_map(torch.zeros_like, one.start)
    shifts = [one.metric_inputs(blank, 0, replica, ALL, final=False)["samples"] for replica in range(3)]
    assert all(torch.equal(rows, rows[:1].expand_as(rows)) for rows in shifts)
    assert not any(torch.equal(a, b) for a, b in combinations(shifts, 2))
    alone = dropout(seeds=[2])
    assert torch.equal(
        alone.metric_inputs(tree_map(torch.zeros_like, alone.start), 0, 0, ALL, final=False)["samples"], shifts[2]
    )


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_the_oracle_is_as_good_as_can_be(name, shipped, cpu):
    """Fresh data scores a JSD of 0 within the estimator's tolerances, all modes, and the data's high-quality share.

    20 seeds of 10,000 samples, fixed: the mean within 0.002 nats of 0 and every run below 0.008.
    """
    suite = parse(ORACLE, shipped)
    one = next(cell for cell in plan(suite) if cell.variant == "oracle" and cell.dataset == name)
    dataset, metrics = build_dataset(one.data), bind_metrics(one.metrics)
    rows = metrics.of_outcomes([reference_inputs(one, dataset, seed, metrics.names, cpu) for seed in one.seeds])
    values = [row["jsd"] for row in rows]
    assert len(set(values)) > 1
    assert sum(values) / len(values) < 0.002
    assert max(values) < 0.008
    assert all(row["all_modes"] for row in rows)
    # P(chi_2 <= 3) = 0.98889, within 5 standard errors of 200,000 samples.
    assert sum(row["high_quality"] for row in rows) / len(rows) == pytest.approx(0.98889, abs=0.0012)


def test_the_oracle_is_not_its_own_reference(shipped, cpu):
    """A metric that compares samples with held-out data must not be given one and the same, nor another seed's."""
    one = next(cell for cell in plan(parse(ORACLE, shipped)) if cell.variant == "oracle")
    dataset = build_dataset(one.data)
    outcomes = [reference_inputs(one, dataset, seed, ALL, cpu) for seed in (0, 1)]
    draws = [outcome[part] for outcome in outcomes for part in ("samples", "real", "training")]
    assert all(draw.shape == (10_000, 2) for draw in draws)
    assert not any(torch.equal(a, b) for a, b in combinations(draws, 2))
