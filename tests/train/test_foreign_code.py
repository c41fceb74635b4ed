"""Plugins written without the engine in mind: they run seed by seed, and say so, or fail with one line."""

from __future__ import annotations

import pytest
import torch

from ganbench.failure import PluginError
from ganbench.registry import Registry
from ganbench.train.cell import Trainer

HEAD = """'''A test's plugin.'''
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


@pytest.fixture
def foreign(tmp_path, cell, cpu):
    """A trainer of a cell that uses the plugin whose code is given."""

    def build(code, variant="{loss: foreign}", seeds=3, engine="auto"):
        (tmp_path / "foreign.py").write_text(HEAD + code)
        registry = Registry.load(extra=tmp_path)
        assert not registry.broken
        one = cell(variant, seeds=seeds, registry=registry)
        return Trainer([one], registry, cpu, engine)

    return build


@pytest.mark.parametrize("code", [TAPE_PENALTY, PYTHON_IF, GLOBAL_NOISE], ids=["autograd.grad", "if", "randn"])
def test_a_loss_that_cannot_be_batched_is_trained_seed_by_seed_and_says_so(code, foreign):
    trainer = foreign(code + LOSS)
    assert trainer.engine == "serial"
    assert trainer.note.startswith("trained seed by seed: ")
    assert trainer.advance(trainer.start, 0, 10).survived.tolist() == [10, 10, 10]


def test_a_penalty_on_the_autograd_tape_is_r1(foreign, cell, shipped, cpu):
    """The copied-in form gives what the shipped nonsaturating-r1 gives with gamma 1."""
    theirs = foreign(TAPE_PENALTY + LOSS)
    one = cell("{loss: {name: nonsaturating-r1, gamma: 1}}", seeds=3)
    ours = Trainer([one], shipped, cpu, "eager")
    a, b = (trainer.advance(trainer.start, 0, 50) for trainer in (theirs, ours))
    torch.testing.assert_close(a.players.D.theta, b.players.D.theta, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("code", "variant"),
    [(GLOBAL_NOISE + LOSS, "{loss: foreign}"), (DROPOUT, "{loss: nonsaturating, architecture: foreign}")],
    ids=["randn", "dropout"],
)
def test_global_noise_is_the_seeds_own(code, variant, foreign):
    """Alone or with others, sliced or not, a seed that draws from torch's global generator ends the same."""
    together, alone = (foreign(code, variant, seeds=seeds) for seeds in ([0, 1, 2], [1]))
    torch.manual_seed(0)
    a = together.advance(together.start, 0, 20)
    torch.manual_seed(1)
    b = alone.advance(alone.advance(alone.start, 0, 7), 7, 20)
    assert torch.equal(a.players.D.theta[1], b.players.D.theta[0])


def test_a_failing_plugin_is_named_with_its_line(foreign):
    with pytest.raises(PluginError, match=r"^RuntimeError: the plugin's own words \(foreign\.py:\d+\)$"):
        foreign(FAILING + LOSS)


def test_running_statistics_are_refused_with_advice(foreign):
    with pytest.raises(PluginError, match="set track_running_stats=False"):
        foreign(RUNNING_NORM, "{loss: nonsaturating, architecture: foreign}")


def test_a_loss_that_is_not_finite_counts_its_seed_out_at_that_step(foreign):
    trainer = foreign(NOT_FINITE + LOSS)
    assert trainer.engine == "eager"
    assert trainer.advance(trainer.start, 0, 20).survived.tolist() == [7, 7, 7]
