"""A message accuses who has made the mistake: the optimizer, the update rule, the penalty or the loss."""

from __future__ import annotations

import pytest

from ganbench.core.errors import PluginError
from ganbench.plugin.registry import Registry
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from ganbench import Loss, Optimizer, Penalty, Update, hookimpl
"""
OPTIMIZER = """
def start(theta):
    {start}

def update(theta, gradient, state):
    {update}

@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", start, update)
"""
UPDATE = """
def step(game, players):
    batch = game.draw()
    d, g = game.discriminator_gradient(players, batch), game.generator_gradient(players, batch)
    {}

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
PENALTY = """
@hookimpl
def ganbench_penalties():
    yield Penalty("foreign", lambda d_real: {})
"""
TORCHS = OPTIMIZER.format(
    start="return (torch.zeros_like(theta),)",
    update="m = state[0]\n    m.mul_(0.9).add_(gradient)\n    return theta - 0.1 * m, (m,)",
)
#: The code, the part of a variant that uses it, and what is said.
MISTAKES = {
    "an optimizer of torch's in an update": (
        OPTIMIZER.format(
            start="return ()",
            update="w = torch.nn.Parameter(theta.clone()); w.grad = gradient; "
            "torch.optim.Adam([w]).step(); return w.data, ()",
        ),
        "optimizer",
        "an optimizer's update() steps torch.optim's Adam, whose state would begin anew at each step: write",
    ),
    "theta in place": (
        OPTIMIZER.format(start="return ()", update="theta.sub_(0.1 * gradient); return theta, ()"),
        "optimizer",
        "an optimizer's update() changes the discriminator's theta in place: return a new one",
    ),
    "its state in place": (TORCHS, "optimizer", "an optimizer's update() changes the discriminator's state in place"),
    "a rule's theta in place": (
        UPDATE.format("players.D.theta.sub_(0.1 * d); return game.move(players, generator=g)"),
        "update",
        "an update rule changes the discriminator's theta in place: move it by game.move()",
    ),
    "a rule sets theta": (
        UPDATE.format("players.D.theta = players.D.theta - 0.1 * d; return game.move(players, generator=g)"),
        "update",
        "write players = players._replace(D=players.D._replace(theta=...)), or game.move() (foreign.py:",
    ),
    "a rule sets theta in place": (
        UPDATE.format("players.G.theta -= 0.1 * g; return game.move(players, discriminator=d)"),
        "update",
        "an update rule changes the generator's theta in place: move it by game.move()",
    ),
    "an optimizer sets a part of its state": (
        OPTIMIZER.format(start="return (torch.zeros_like(theta),)", update="state[0] = gradient; return theta, state"),
        "optimizer",
        "state[0] = ... sets a part of what stays as it is: return the new tensors: (theta, (m,)) (foreign.py:",
    ),
    "a state that is a tensor": (
        OPTIMIZER.format(start="return torch.zeros_like(theta)", update="return theta - gradient, state"),
        "optimizer",
        "start() must return a tuple of tensors, not a Tensor of shape (",
    ),
    "no state": (
        OPTIMIZER.format(start="pass", update="return theta - gradient, state"),
        "optimizer",
        "start() must return a tuple of tensors, not nothing: (m,) for one tensor, () for none",
    ),
    "gradients exchanged": (
        UPDATE.format("return game.move(players, discriminator=g, generator=d)"),
        "update",
        "game.move(discriminator=...) was given the other player's gradient",
    ),
    "gradients exchanged and changed": (
        UPDATE.format("return game.move(players, discriminator=2 * g, generator=d)"),
        "update",
        "are the two exchanged?",
    ),
    "a penalty of 0": (PENALTY.format("0"), "penalty", "not int: for a term that is 0 leave the function out"),
    "a number": (PENALTY.format("0.5"), "penalty", "not float: a number has no gradient"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_the_part_at_fault_is_told_its_own_cure(what, foreign, cell, cpu):
    code, part, said = MISTAKES[what]
    one = cell(f"{{loss: minimax, {part}: foreign}}", seeds=1, registry=foreign(HEAD + code))
    with pytest.raises(PluginError) as raised:
        Trainer([one], cpu, "serial")
    assert said in str(raised.value)


BROKEN = {
    "a loss with an argument that there is not": (
        "@hookimpl\ndef ganbench_losses():\n    yield Loss('foreign', lambda d_real: d_real, min, clip=1)",
        "'clip': write Loss(name, discriminator, generator), where you may add probability=, project=, players=, "
        "parts=, aliases=",
    ),
    "an encoder without parts=": (
        "@hookimpl\ndef ganbench_losses():\n    yield Loss('foreign', lambda d_real, E: d_real, lambda d_fake: d_fake)",
        "; a network of the loss's own is named in parts=('E',), beside players=",
    ),
    "an optimizer without start": (
        "@hookimpl\ndef ganbench_optimizers():\n    yield Optimizer('foreign', update=lambda theta: (theta, ()))",
        "write start=lambda theta: () where it has none",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_value_that_lacks_something_is_told_what(what, tmp_path):
    code, said = BROKEN[what]
    (tmp_path / "foreign.py").write_text(HEAD + code)
    (broken,) = Registry.load(extra=tmp_path).broken
    assert broken.cause.endswith(said)
