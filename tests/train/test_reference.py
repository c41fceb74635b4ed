"""A reference is fitted to points of its seed, scored as a generator is, or says in one line why it cannot be."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset, held_out, training_points
from ganbench.train.reference import reference_inputs

REAL = frozenset({"samples", "real", "training", "model"})
SUITE = """
suite: references
seeds: 3
budget: {{steps: 1}}
evaluate: {{samples: 500}}
datasets: {{data: {data}}}
references: [{references}]
variants: {{it: {{loss: minimax}}}}
"""

#: References that are wrong, each in its way; and data that is a finite set.
ODD = """'''A test's plugin.'''
import torch
from ganbench import Dataset, Mixture, Reference, hookimpl

class Sampler:
    def __init__(self, draw, shape=(2,)):
        self.draw, self.shape = draw, shape

    def sample(self, n, generator):
        return self.draw(n, generator)

class Finite(Sampler):
    training = torch.arange(20.0).view(10, 2)
    held_out = training + 100

def finite():
    return Finite(lambda n, generator: Finite.training[torch.randint(10, (n,), generator=generator)])

def odd(draw, **more):
    return lambda training: Sampler(draw, **more)

def crash(training):
    raise ValueError("no, not with these points")

def spoil(training, dataset):
    training += 1
    return dataset

def rest(random):
    return odd(lambda n, generator: torch.rand(1).expand(n, 2) + torch.zeros(n, 2))(None)

def told(training, random):
    point = training[torch.randint(len(training), (1,), generator=random)]
    return odd(lambda n, generator: point.expand(n, 2) + torch.zeros(n, 2))(None)

def shaken(training):
    shift = torch.rand(2)
    return odd(lambda n, generator: shift.expand(n, 2) + torch.zeros(n, 2))(None)

@hookimpl
def ganbench_datasets():
    yield Dataset("finite", finite)

@hookimpl
def ganbench_references():
    yield Reference("crash", crash)
    yield Reference("spoil", spoil)
    yield Reference("rest", rest)
    yield Reference("told", told)
    yield Reference("shaken", shaken)
    yield Reference("number", lambda training: 5)
    yield Reference("line", odd(lambda n, generator: torch.zeros(n, 1), shape=(1,)))
    yield Reference("long", odd(lambda n, generator: torch.zeros(n + 1, 2)))
    yield Reference("double", odd(lambda n, generator: torch.zeros(n, 2).double()))
    yield Reference("nans", odd(lambda n, generator: torch.full((n, 2), torch.nan)))
"""


@pytest.fixture
def refer(shipped, cpu, tmp_path):
    """The outcomes of a reference at some seeds."""

    def run(reference, seeds=(0,), data="{name: ring, std: 0.1}", names=REAL, odd=False):
        registry = shipped
        if odd:
            (tmp_path / "odd.py").write_text(ODD)
            registry = Registry.load(extra=tmp_path)
            assert not registry.broken
        suite = parse(SUITE.format(data=data, references=reference), registry)
        cells = [cell for cell in plan(suite) if cell.reference]
        dataset = build_dataset(cells[-1].data)
        return dataset, [reference_inputs(cells[-1], dataset, seed, names, cpu) for seed in seeds]

    return run


def test_an_outcome_is_the_seeds_own_and_the_same_each_time(refer):
    """Also where the fit, or the rest of it, is random."""
    for name in ("oracle", "memoriser", "em", "kde"):
        _, outcomes = refer(name, (3, 5, 3))
        for part in ("samples", "real", "training"):
            assert torch.equal(outcomes[0][part], outcomes[2][part])
            assert not torch.equal(outcomes[0][part], outcomes[1][part])


def test_all_references_of_a_seed_are_fitted_to_the_same_points_and_scored_with_others(refer, cpu):
    """At least 1,000, however few an evaluation draws; and no two references share their samples."""
    dataset, (one,) = refer("memoriser", (4,))
    _, (other,) = refer("kde", (4,))
    assert torch.equal(one["training"], other["training"])
    assert torch.equal(one["training"], training_points(dataset, 1000, 4, cpu))
    assert torch.equal(one["real"], held_out(dataset, 500, 4, cpu))
    assert one["samples"].shape == one["real"].shape == (500, 2)
    draws = [one["samples"], other["samples"], one["real"], one["training"]]
    assert not any(torch.equal(a, b) for a, b in combinations(draws, 2))


def test_a_model_is_what_has_a_density(refer):
    assert refer("em")[1][0]["model"].log_density(torch.zeros(3, 2).numpy()).shape == (3,)
    dataset, (oracle,) = refer("oracle")
    assert oracle["model"] is dataset
    assert refer("memoriser")[1][0]["model"] is None


def test_a_reference_has_no_logits_and_no_loss_and_is_measured_once(refer):
    outcome = refer("em")[1][0]
    assert [outcome[name] for name in ("d_real", "d_fake", "loss")] == [None] * 3
    assert outcome["final"] is True


def test_parameters_reach_the_fit(refer):
    samples = refer("{name: memoriser, points: 3}")[1][0]["samples"]
    assert len((samples * 100).round().unique(dim=0)) <= 12  # 3, or more where one lies between two roundings
    assert refer("{name: kde, bandwidth: 0.25}")[1][0]["model"].bandwidth == 0.25


def test_a_finite_set_is_fitted_and_held_out_as_its_parts_say(refer):
    _, (outcome,) = refer("training-data", data="finite", odd=True)
    assert torch.equal(outcome["training"], torch.arange(20.0).view(10, 2))
    assert outcome["samples"].shape == (500, 2)
    assert len(outcome["samples"].unique(dim=0)) == 10
    assert sorted(outcome["real"].flatten().tolist()) == torch.arange(100.0, 120.0).tolist()


def test_a_fit_that_writes_into_its_points_changes_nobody_elses(refer, cpu):
    dataset, (outcome,) = refer("spoil", odd=True)
    assert torch.equal(outcome["training"], training_points(dataset, 1000, 0, cpu))


def test_a_fit_that_uses_global_random_numbers_is_reproducible_and_leaves_them_alone(refer):
    before = torch.get_rng_state()
    first, again = (refer("shaken", odd=True)[1][0]["samples"] for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_random_numbers_of_a_fit_are_the_seeds_own(refer):
    _, outcomes = refer("told", (0, 1, 0), odd=True)
    points = [outcome["samples"][0] for outcome in outcomes]
    assert torch.equal(points[0], points[2])
    assert not torch.equal(points[0], points[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crash", r"^reference crash: .*no, not with these points"),
        (
            "number",
            r"^reference number: fit\(\) returned an int, which is no Distribution, for it has no shape",
        ),
        ("line", r"^reference line: its samples have the shape \(1,\), and the data \(2,\)$"),
        ("long", r"^reference long: sample\(4\) must have the shape \(4, 2\), not \(5, 2\)$"),
        (
            "double",
            r"^reference double: sample\(\) must return a float32 tensor, not a torch.float64 tensor: return it",
        ),
        ("nans", r"^reference nans: sample\(\) gives numbers that are not finite \(nan in 4 of 4 samples\)$"),
        ("rest", r"^reference rest: sample\(\) must draw from the generator it is given, and from nothing else$"),
    ],
)
def test_a_reference_that_is_none_says_why(name, message, refer):
    with pytest.raises(PluginError, match=message):
        refer(name, odd=True)
