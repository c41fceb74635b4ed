"""Models evaluated side by side: the same outcomes as one by one, whatever their networks do."""

from __future__ import annotations

import threading

import pytest
import torch

from ganbench.core.rng import drawn_since, global_states
from ganbench.train import generator
from ganbench.train.trainer import Trainer

NAMES = frozenset({"samples", "real", "d_real", "d_fake"})
MLP = "{loss: minimax, architecture: {name: mlp, width: 8, depth: 1}}"
ODD = '''"""Networks that do odd things when they are evaluated."""
import random
import numpy as np
import torch
from torch import nn
from ganbench import Architecture, Networks, hookimpl

class Layer(nn.Module):
    def __init__(self, odd):
        super().__init__()
        self.odd, self.inner = odd, nn.Linear(2, 2)

    def forward(self, x):
        x = self.inner(x)
        if self.odd and not self.training:
            DO_IT
        return x

@hookimpl
def ganbench_architectures():
    yield Architecture("odd", lambda shape: Networks(Layer(True), nn.Sequential(Layer(False), nn.Linear(2, 1)), (2,)))
'''


@pytest.fixture
def threads():
    """Two of torch's, whatever the machine has."""
    torch.set_num_threads(2)


@pytest.fixture
def odd(foreign, cell, cpu, threads):
    """A trainer whose generators run a line of code when they are evaluated."""

    def build(line):
        registry = foreign(ODD.replace("DO_IT", line))
        return Trainer([cell("{loss: minimax, architecture: odd}", seeds=5, registry=registry)], cpu, "eager")

    return build


def both(trainer, step=7):
    """The outcomes of all replicas side by side and one by one; the last of them final."""
    asked = [(replica, replica == 4) for replica in range(5)]
    together = trainer.metric_inputs_of(trainer.start, step, asked, NAMES)
    return together, [
        trainer.metric_inputs(trainer.start, step, replica, NAMES, final=final) for replica, final in asked
    ]


def same(together, alone):
    for one, other in zip(together, alone, strict=True):
        assert one.keys() == other.keys()
        assert one["final"] == other["final"]
        assert all(torch.equal(one[name], other[name]) for name in NAMES)


def test_outcomes_side_by_side_are_to_the_bit_those_one_by_one(cell, shipped, cpu, threads, monkeypatch):
    monkeypatch.setattr(generator, "ROWS", 200)
    names = set()
    trainer = Trainer([cell(MLP, seeds=5)], cpu, "eager")
    call = generator.fill

    def told(*arguments):
        names.add(threading.current_thread().name)
        return call(*arguments)

    monkeypatch.setattr(generator, "fill", told)
    same(*both(trainer))
    assert any(name.startswith("ganbench") for name in names)


@pytest.mark.parametrize("draw", ["torch.rand(())", "np.random.rand()", "random.random()"])
def test_a_network_that_draws_globally_has_its_seeds_own_numbers_all_the_same(draw, odd):
    before = global_states()
    together, alone = both(odd(f"x = x + {draw}"))
    same(together, alone)
    assert len({float((one["samples"] - two["samples"]).abs().max()) for one in together for two in together}) > 5
    assert drawn_since(before) == ()


def test_what_fails_side_by_side_fails_as_one_by_one(odd):
    trainer = odd("raise RuntimeError('no')")
    with pytest.raises(RuntimeError, match=r"^no$"):
        trainer.metric_inputs_of(trainer.start, 7, [(0, True), (1, True)], NAMES)


def test_what_has_no_memory_side_by_side_is_done_one_by_one(odd):
    line = "import threading; assert threading.current_thread() is threading.main_thread(), 'out of memory'"
    same(*both(odd(line)))


def test_a_state_on_two_threads_holds_no_gradient(cell, shipped, cpu, threads):
    trainer = Trainer([cell(MLP, seeds=5)], cpu, "eager")
    assert not any(one[name].requires_grad for outcomes in both(trainer) for one in outcomes for name in NAMES)
