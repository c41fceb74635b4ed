"""A dataset in use: what is held out and what is trained on, of data without end and of a finite set."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.data import kept as kept_data
from ganbench.data.mixture import Mixture
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Dataset
from ganbench.suite.choice import Choice
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train import data
from ganbench.train.data import build_dataset, held_out, metric_inputs, training_points
from ganbench.train.fingerprint import fingerprint

ENDLESS = Mixture([[0.0, 0.0], [1.0, 1.0]], 0.1)
NOTHING = frozenset[str]()

ODD = """'''A test's plugin.'''
import torch
from ganbench import Dataset, hookimpl

class Odd:
    shape = (2,)

    def sample(self, n, generator):
        return torch.ones(n, 3)

@hookimpl
def ganbench_datasets():
    yield Dataset("odd", Odd)
"""


class Finite:
    """Ten points to train on, 0 to 9, and five held out, 100 to 104."""

    shape = (1,)
    training = torch.arange(10.0)[:, None]
    held_out = torch.arange(100.0, 105.0)[:, None]

    def sample(self, n: int, generator: torch.Generator) -> torch.Tensor:
        return self.training[torch.randint(10, (n,), generator=generator)]


def test_a_dataset_is_built_with_the_suites_parameters(shipped):
    found = build_dataset(Choice.of(shipped.get("dataset", "ring"), {"modes": 5, "radius": 1.0, "std": 0.1}))
    assert (found.modes, found.std[0]) == (5, 0.1)


def test_a_dataset_that_samples_as_it_must_not_is_refused(tmp_path):
    (tmp_path / "odd.py").write_text(ODD)
    with pytest.raises(
        PluginError, match=r"dataset odd: sample\(1000\) must have the shape \(1000, 2\), not \(1000, 3\)"
    ):
        build_dataset(Choice.of(Registry.load(extra=tmp_path).get("dataset", "odd"), {}))


def test_held_out_data_is_the_seeds_own_and_the_same_each_time(cpu):
    first, again, other = (held_out(ENDLESS, 100, seed, cpu) for seed in (3, 3, 4))
    assert first.shape == (100, 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_held_out_data_of_a_finite_set_is_what_it_holds_out_each_point_once(cpu):
    """All of it, in an order of the seed's own, where as much as there is, or more, is asked for."""
    some, everything, more = (held_out(Finite(), n, 0, cpu) for n in (3, 5, 100))
    assert len(set(some.flatten().tolist())) == 3
    assert sorted(everything.flatten().tolist()) == [100, 101, 102, 103, 104]
    assert torch.equal(everything, more)
    assert set(some.flatten().tolist()) <= set(everything.flatten().tolist())
    orders = {tuple(held_out(Finite(), 5, seed, cpu).flatten().tolist()) for seed in range(8)}
    assert len(orders) > 1


def test_training_points_are_the_training_set_or_as_many_samples_as_are_asked_for(cpu):
    assert torch.equal(training_points(Finite(), 3, 0, cpu), Finite.training)
    first, again, other = (training_points(ENDLESS, 100, seed, cpu) for seed in (3, 3, 4))
    assert first.shape == (100, 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_nobody_is_trained_on_what_it_is_scored_with(cpu):
    held, trained = held_out(ENDLESS, 1000, 0, cpu), training_points(ENDLESS, 1000, 0, cpu)
    assert not (held[:, None] == trained).all(dim=2).any()
    assert not set(Finite.held_out.flatten().tolist()) & set(training_points(Finite(), 9, 0, cpu).flatten().tolist())


@pytest.mark.parametrize("needing", ["real", "d_real", "divergence"])
def test_held_out_data_is_drawn_only_for_what_names_it(needing, cpu):
    samples = torch.zeros(50, 2)
    without = metric_inputs(samples, ENDLESS, 3, NOTHING, final=False)
    assert without.get("real") is None
    assert torch.equal(
        metric_inputs(samples, ENDLESS, 3, frozenset({needing}), final=False)["real"], held_out(ENDLESS, 50, 3, cpu)
    )


def test_an_outcome_says_what_is_known_of_samples_that_nobody_has_a_name_for():
    """Neither logits, nor a loss, nor a model; the training points where data has some and somebody asks for them."""
    samples = torch.zeros(4, 1)
    asked = frozenset({"training"})
    finite, endless = (metric_inputs(samples, data, 0, asked, final=True) for data in (Finite(), ENDLESS))
    assert torch.equal(finite["training"], Finite.training)
    assert endless["training"] is None
    assert metric_inputs(samples, Finite(), 0, NOTHING, final=True)["training"] is None
    for found in (finite, endless):
        assert found["samples"] is samples
        assert found["final"] is True
        assert [found[name] for name in ("d_real", "d_fake", "loss", "model")] == [None] * 4
    assert (finite["dataset"].shape, endless["dataset"]) == ((1,), ENDLESS)


def test_all_cells_of_a_dataset_use_the_same(shipped):
    ring = Choice.of(shipped.get("dataset", "ring"), {"modes": 5, "radius": 1.0, "std": 0.1})
    first, again = build_dataset(ring), build_dataset(ring)
    assert first is again
    other = Choice.of(shipped.get("dataset", "ring"), {"modes": 6, "radius": 1.0, "std": 0.1})
    assert build_dataset(other).modes == 6
    assert build_dataset(ring) is first


def test_no_more_datasets_are_kept_than_memory_is_given_for(shipped, monkeypatch):
    monkeypatch.setattr(kept_data, "KEPT_BYTES", 0)
    ring, other = (
        Choice.of(shipped.get("dataset", "ring"), {"modes": modes, "radius": 1.0, "std": 0.1}) for modes in (5, 6)
    )
    first = build_dataset(ring)
    assert build_dataset(ring) is first
    build_dataset(other)
    assert build_dataset(ring) is not first


COUNTED = """'''A test's plugin.'''
from ganbench import Dataset, Mixture, hookimpl
BUILT = []

def build(*, shift: float = 0.0):
    BUILT.append(shift)
    return Mixture([[shift, 0.0], [1.0, 1.0]], 0.1)

@hookimpl
def ganbench_datasets():
    yield Dataset("counted", build)
"""
COUNTED_SUITE = """
suite: t
seeds: 1
budget: {steps: 1}
datasets: {a: {name: counted}, b: {name: counted, shift: 2}}
variants: {v: {loss: minimax}}
"""


def test_what_the_check_of_a_suite_has_built_is_what_is_trained_on(tmp_path):
    """Built twice, to see that it is the same again; not once more for the fingerprint, nor for each cell."""
    (tmp_path / "counted.py").write_text(COUNTED)
    registry = Registry.load(extra=tmp_path)
    suite = parse(COUNTED_SUITE, registry)
    for choice in suite.datasets.values():
        assert fingerprint(choice)
    for cell in plan(suite):
        build_dataset(cell.data)
    assert registry.value(Dataset, "counted").build.__globals__["BUILT"] == [0.0, 0.0, 2.0, 2.0]


def test_who_writes_into_held_out_data_spoils_it_for_nobody_else(shipped, cpu):
    dataset = build_dataset(Choice.of(shipped.get("dataset", "ring"), {"modes": 5, "radius": 1.0, "std": 0.1}))
    first = held_out(dataset, 100, 3, cpu)
    kept = first.clone()
    first.zero_()
    assert torch.equal(held_out(dataset, 100, 3, cpu), kept)
    assert torch.equal(held_out(dataset, 50, 3, cpu), held_out(Mixture(dataset.means, dataset.std), 50, 3, cpu))


def test_held_out_data_that_is_too_much_to_keep_is_drawn_again(shipped, cpu, monkeypatch):
    dataset = build_dataset(Choice.of(shipped.get("dataset", "ring"), {"modes": 5, "radius": 1.0, "std": 0.1}))
    kept = held_out(dataset, 100, 3, cpu)
    monkeypatch.setattr(data, "KEPT_BYTES", 0)
    again = build_dataset(Choice.of(shipped.get("dataset", "ring"), {"modes": 5, "radius": 1.0, "std": 0.1}))
    assert torch.equal(held_out(again, 100, 3, cpu), kept)
    assert not data._LAST[0].held_out


def test_data_sets_inside_a_data_set_count_when_memory_is_asked_for():
    """As the phases of one, or arrays in a list or a dict."""
    rows = np.zeros((100, 10), dtype=np.float32)

    class Inner:
        def __init__(self):
            self.rows = [rows, torch.zeros(5)]

    outer = Inner()
    outer.parts, outer.by_name, outer.kind = (Inner(),), {"a": rows}, Inner
    assert kept_data._bytes(outer) == 3 * rows.nbytes + 2 * 20
