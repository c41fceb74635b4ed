"""Parameters that no optimizer moves, as those of a second network made at import, are said before training."""

from __future__ import annotations

import pytest

from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Optimizer, Penalty, Update, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()
"""
LOSS = """
{before}

def discriminator(d_real, d_fake, fake, real):
    {line}
    return plain(d_real, d_fake) + k

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)
"""
CLOSURE = """
def make():
    second = nn.Linear(2, 1)
    def term(x):
        return softplus(second(x)).mean()
    return term
term = make()
"""
#: What stands before the loss, a line of it, and the name that is said.
UNTRAINED = {
    "a network": ("D2 = nn.Linear(2, 1)", "k = softplus(-D2(real)).mean() + softplus(D2(fake)).mean()", "'D2'"),
    "a parameter": ("scale = nn.Parameter(torch.ones(()))", "k = scale * fake.mean()", "'scale'"),
    "a tensor": ("scale = torch.ones((), requires_grad=True)", "k = scale * fake.mean()", "'scale'"),
    "in a list": (
        "critics = [nn.Linear(2, 1) for _ in range(2)]",
        "k = sum(d(fake).mean() for d in critics)",
        "'critics'",
    ),
    "in a closure": (CLOSURE, "k = term(fake)", "'second'"),
    "in an object": ("class S: pass\nS.net = nn.Linear(2, 1)", "k = S.net(fake).mean()", "'S.net'"),
}


@pytest.fixture
def note(foreign, cell, cpu):
    """The note on a cell that uses the plugin whose code is given."""

    def build(code, variant="{loss: foreign}", engine="auto", seeds=2):
        return Trainer([cell(variant, seeds=seeds, registry=foreign(HEAD + code))], cpu, engine).note

    return build


@pytest.mark.parametrize("what", UNTRAINED)
def test_parameters_of_a_step_that_no_optimizer_moves_are_said_with_their_name(what, note):
    before, line, name = UNTRAINED[what]
    said = note(LOSS.format(before=before, line=line))
    assert f"uses parameters of {name} (foreign.py:" in said
    assert "which no optimizer moves: a part of an architecture is an attribute of its network" in said
    assert "a further network that is trained is made by Loss(players=...) and named in parts=" in said


def test_they_are_said_seed_by_seed_too(note):
    before, line, _ = UNTRAINED["a network"]
    assert "no optimizer moves" in note(LOSS.format(before=before, line=line), engine="serial")


FIXED = {
    "frozen": ("E = nn.Linear(2, 3).requires_grad_(False)", "k = E(fake).square().mean()"),
    "without gradients": ("E = nn.Linear(2, 3)", "\n    with torch.no_grad(): k = E(real).square().mean()"),
    "a constant": ("A = torch.ones(2)", "k = (A * fake).mean()"),
    "nothing": ("", "k = 0"),
}


@pytest.mark.parametrize("what", FIXED)
def test_what_is_fixed_on_purpose_is_not(what, note):
    before, line = FIXED[what]
    assert note(LOSS.format(before=before, line=line)) == ""


def test_layers_of_a_network_that_it_does_not_hold_are_said(note):
    """With several seeds they differ, which is refused."""
    code = """
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(8, 1)
        self.layers = [nn.Linear(2, 8)]
    def forward(self, x):
        return self.last(self.layers[0](x).relu())

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", lambda shape: Networks(nn.Linear(2, 2), D(), (2,)))
"""
    said = note(code, "{loss: minimax, architecture: foreign}", seeds=1)
    assert "uses parameters of the discriminator's layers" in said
    assert "hold them as attributes of the network or in nn.ModuleList" in said
