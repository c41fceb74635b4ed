"""Plugins written without the engine in mind: batched where that can be, else seed by seed, or one line."""

from __future__ import annotations

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.core.rng import reseed, restored
from ganbench.suite.choice import Choice
from ganbench.train.data import build_dataset
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import random
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Update, hookimpl

def generator(d_fake):
    return softplus(-d_fake).mean()
"""
LOSS = """
@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)
"""
TAPE_PENALTY = """
def discriminator(d_real, d_fake, D, real):
    real = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    return softplus(-d_real).mean() + softplus(d_fake).mean() + 0.5 * gradient.square().sum(1).mean()
"""
PYTHON_IF = """
def discriminator(d_real, d_fake):
    if d_real.mean() > 0:
        return softplus(-d_real).mean() + softplus(d_fake).mean()
    return (softplus(-d_real).mean() + softplus(d_fake).mean()) * 1.0
"""
GLOBAL_NOISE = """
def discriminator(d_real, d_fake, D, real):
    return softplus(-D(real + 0.01 * torch.randn_like(real))).mean() + softplus(d_fake).mean()
"""
MULTINOMIAL = """
def discriminator(d_real, d_fake, D, real):
    chosen = torch.multinomial(torch.ones(len(real)), len(real), replacement=True)
    return softplus(-D(real[chosen])).mean() + softplus(d_fake).mean()
"""
#: A draw that nobody answers.
POISSON = """
def discriminator(d_real, d_fake, D, real):
    return softplus(-D(real + 0.01 * torch.poisson(torch.ones_like(real)))).mean() + softplus(d_fake).mean()
"""
#: A draw into a tensor that all seeds share.
IN_PLACE = """
def discriminator(d_real, d_fake, D, real):
    return softplus(-D(real + 0.01 * torch.FloatTensor(real.shape).normal_())).mean() + softplus(d_fake).mean()
"""
#: Habits: a soft label, a point between real and fake, labels that are sometimes exchanged.
NUMPY = """
def discriminator(d_real, d_fake, D, real):
    a = torch.from_numpy(np.random.rand(len(real), 1).astype("float32"))
    return softplus(float(np.random.uniform(0.7, 1.2)) - D(real * a)).mean() + softplus(d_fake).mean()
"""
PYTHON = """
def discriminator(d_real, d_fake):
    if random.random() < 0.2:
        d_real, d_fake = d_fake, d_real
    return softplus(-d_real).mean() + softplus(d_fake).mean()
"""
FAILING = """
def discriminator(d_real, d_fake):
    raise RuntimeError("the plugin's own words\\nand more of them")
"""
NOT_FINITE = """
def discriminator(d_real, d_fake, step):
    return softplus(-d_real).mean() + softplus(d_fake).mean() + torch.where(step == 7, torch.nan, 0.0)
"""
RUNNING_NORM = """
def build(shape):
    return Networks(nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
DROPOUT = """
def build(shape):
    return Networks(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 8), nn.Dropout(), nn.Linear(8, 1)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
#: Both write into what they were given.
WRITING = """
def build(shape):
    layers = [nn.Dropout(0.3, inplace=True), nn.Linear(8, 8), nn.LeakyReLU(0.2, inplace=True), nn.Linear(8, 1)]
    return Networks(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 8), *layers), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
STATEMENT = """
class Dropped(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x):
        x = self.first(x)
        torch.nn.functional.dropout(x, 0.5, True, True)
        return self.last(x)

def build(shape):
    return Networks(nn.Linear(2, 2), Dropped(), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""


#: Weights as some papers' code draws them, and points as a script makes them.
SCIPY_WEIGHTS = """
from scipy.stats import truncnorm

def linear(n, m):
    layer = nn.Linear(n, m)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(truncnorm.rvs(-2, 2, size=(m, n))) * random.gauss(1, 0.1))
    return layer

def build(shape):
    return Networks(linear(2, 2), nn.Sequential(linear(2, 8), nn.Tanh(), linear(8, 1)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
NUMPY_DATA = """
from ganbench import Dataset
from ganbench.data.finite_set import Finite

def build():
    x = torch.from_numpy(np.random.randn(200, 2).astype("float32"))
    order = random.sample(range(200), 200)
    return Finite(x[order[:150]], x[order[150:]])

@hookimpl
def ganbench_datasets():
    yield Dataset("foreign", build)
"""


@pytest.fixture
def train(foreign, cell, cpu):
    """A trainer of a cell that uses the plugin whose code is given."""

    def build(code, variant="{loss: foreign}", seeds=3, engine="auto"):
        registry = foreign(HEAD + code)
        return Trainer([cell(variant, seeds=seeds, registry=registry)], cpu, engine)

    return build


ALONE = {"autograd.grad": TAPE_PENALTY, "if": PYTHON_IF, "poisson": POISSON, "normal_": IN_PLACE}


@pytest.mark.parametrize("why", ALONE)
@pytest.mark.parametrize("engine", ["auto", "compiled"])
def test_a_loss_that_cannot_be_batched_is_trained_seed_by_seed_and_says_so(why, engine, train):
    """Also where another engine was asked for."""
    trainer = train(ALONE[why] + LOSS, engine=engine)
    trainer.prepare()
    assert trainer.engine == "serial"
    assert trainer.note.startswith("trained seed by seed: ")
    assert trainer.advance(trainer.start, 0, 10).survived.tolist() == [10, 10, 10]


def test_a_penalty_on_the_autograd_tape_is_r1(train, trained):
    """The copied-in form gives what the shipped nonsaturating-r1 gives with gamma 1."""
    theirs = train(TAPE_PENALTY + LOSS)
    a = theirs.advance(theirs.start, 0, 50)
    b = trained("{loss: {name: nonsaturating-r1, gamma: 1}}", steps=50)
    torch.testing.assert_close(a.players.D.theta, b.players.D.theta, atol=1e-5, rtol=0)


#: Code that draws from torch's global generator, by the engine that it trains with: what can be answered is batched.
GLOBAL = {
    "randn_like": (GLOBAL_NOISE + LOSS, "{loss: foreign}", "eager"),
    "dropout": (DROPOUT, "{loss: nonsaturating, architecture: foreign}", "eager"),
    "dropout in place": (WRITING, "{loss: nonsaturating, architecture: foreign}", "eager"),
    "multinomial": (MULTINOMIAL + LOSS, "{loss: foreign}", "eager"),
    "poisson": (POISSON + LOSS, "{loss: foreign}", "serial"),
    "normal_": (IN_PLACE + LOSS, "{loss: foreign}", "serial"),
    "numpy": (NUMPY + LOSS, "{loss: foreign}", "serial"),
    "Python": (PYTHON + LOSS, "{loss: foreign}", "serial"),
}


@pytest.fixture
def _generators_as_before():
    with restored():
        yield


@pytest.mark.usefixtures("_generators_as_before")
@pytest.mark.parametrize("name", GLOBAL)
def test_global_noise_is_the_seeds_own(name, train, apart):
    """Alone or with others, sliced or not, whatever the global generator holds, the seed has the same noise."""
    code, variant, engine = GLOBAL[name]
    together, alone = (train(code, variant, seeds=seeds) for seeds in ([0, 1, 2], [1]))
    assert together.engine == alone.engine == engine
    reseed(0, "any")
    a = together.advance(together.start, 0, 20)
    reseed(1, "any")
    b = alone.advance(alone.advance(alone.start, 0, 7), 7, 20)
    assert apart(a, b, among=[1]) < (1e-6 if engine == "eager" else 1e-30)
    mates = (player.theta[0] - player.theta[1] for player in a.players)
    assert all(difference.abs().max() > 1e-3 for difference in mates)


@pytest.mark.parametrize("name", GLOBAL)
def test_global_noise_is_the_same_with_every_engine(name, train, apart):
    code, variant, engine = GLOBAL[name]
    one, serial = (train(code, variant, engine=asked) for asked in (engine, "serial"))
    assert apart(*(each.advance(each.start, 0, 20) for each in (one, serial))) < 1e-5


@pytest.mark.usefixtures("_generators_as_before")
def test_weights_that_numpy_or_python_draw_are_the_seeds_own(train):
    variant = "{loss: nonsaturating, architecture: foreign}"
    a, b = (train(SCIPY_WEIGHTS, variant, seeds=seeds).start.players.D.theta for seeds in ([0, 1, 2], [1]))
    assert torch.equal(a[1], b[0])
    assert not torch.equal(a[1], a[2])


@pytest.mark.usefixtures("_generators_as_before")
def test_points_that_numpy_or_python_draw_are_the_same_each_time(foreign):
    entry = foreign(HEAD + NUMPY_DATA).get("dataset", "foreign")
    one, other = (build_dataset(Choice.of(entry, {})) for _ in range(2))
    assert one is not other
    assert torch.equal(one.held_out, other.held_out)
    assert torch.equal(one.training, other.training)


@pytest.mark.parametrize("name", ["poisson", "numpy", "Python"])
def test_seed_by_seed_the_note_says_whose_generator_it_is(name, train):
    code, variant, _ = GLOBAL[name]
    said = {"poisson": "torch.poisson draws from torch's"}.get(name, f"draws from {name}'s")
    assert train(code, variant).note.startswith(f"trained seed by seed: {said} global random generator")


def test_a_dropout_in_place_whose_result_is_thrown_away_has_dropped_all_the_same(train, apart):
    """It may be written as a statement."""
    written = STATEMENT.replace("torch.nn.functional.dropout(x, 0.5, True, True)", "x = {}")
    variants = [STATEMENT, *(written.format(f"torch.nn.functional.dropout(x, {p}, True)") for p in (0.5, 0.0))]
    states = []
    for code in variants:
        trainer = train(code, "{loss: nonsaturating, architecture: foreign}")
        states.append(trainer.advance(trainer.start, 0, 20))
    assert apart(states[0], states[1]) < 1e-6
    assert apart(states[0], states[2]) > 1e-3


def test_a_failing_plugin_is_named_with_its_line(train):
    with pytest.raises(PluginError, match=r"^RuntimeError: the plugin's own words \(foreign\.py:\d+\)$"):
        train(FAILING + LOSS)


def test_running_statistics_are_refused_with_advice(train):
    with pytest.raises(PluginError, match=r"write nn.BatchNorm1d\(2, track_running_stats=False\)"):
        train(RUNNING_NORM, "{loss: nonsaturating, architecture: foreign}")


def test_a_loss_that_is_not_finite_counts_its_seed_out_at_that_step(train):
    trainer = train(NOT_FINITE + LOSS)
    assert trainer.engine == "eager"
    assert trainer.advance(trainer.start, 0, 20).survived.tolist() == [7, 7, 7]
