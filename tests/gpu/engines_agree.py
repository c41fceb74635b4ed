"""Every shipped loss, method, penalty, update rule, optimizer and architecture: its engines agree, on this device.

100 steps, to 1e-5: later, training is chaotic. On CUDA: compiled, in CUDA graphs of 16 steps, against eager; in a dry
run eager against one seed after another, of one plugin.
"""

from __future__ import annotations

import pytest
import torch

from ganbench.plugin.registry import Registry
from ganbench.testing.result import Subject, settings
from ganbench.testing.training import cell
from ganbench.train.trainer import Trainer

STEPS = 100
TOLERANCE = 1e-5
SEEDS = (0, 1, 2)
KINDS = ("loss", "penalty", "update", "optimizer", "architecture")
#: What a dry run trains.
FEW = {"update": "extragradient"}
LOADED = Registry.load()
EVERY = [(kind, name) for kind in KINDS for name in LOADED.names(kind)]


@pytest.fixture
def trained(dry, cpu, kind, name):
    """A trainer of the plugin, and its state after all steps: ``trained("eager", SEEDS)``."""
    if dry and FEW.get(kind) != name:
        pytest.skip("not a part of a dry run")
    entry = LOADED.get(kind, name)
    subject = Subject(entry, LOADED, settings(entry)[0])

    def train(engine, seeds):
        trainer = Trainer([cell(subject, seeds)], cpu, engine)
        trainer.prepare()
        return trainer, trainer.advance(trainer.start, 0, STEPS)

    return train


def apart(one, other) -> float:
    """The largest difference of two states' parameters, relative to the largest of them."""
    pairs = [(a.theta, b.theta) for a, b in zip(one, other, strict=True)]
    return max(float((a - b).abs().max() / (1 + a.abs().max())) for a, b in pairs)


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{kind} {name}" for kind, name in EVERY])
def test_engines_agree_and_a_seed_alone_is_the_seed_in_a_batch(kind, name, trained, dry):
    trainer, eager = trained("eager", SEEDS)
    assert (eager.survived == STEPS).all()
    one = torch.utils._pytree.tree_map(lambda tensor: tensor[1:2], eager)
    assert apart(one.players, trained("serial" if dry else "eager", SEEDS[1:2])[1].players) < TOLERANCE
    if dry or trainer.probe.serial:
        return
    compiler, compiled = trained("compiled", SEEDS)
    assert compiler.engine == "compiled"
    assert "CUDA graphs" not in compiler.note
    assert apart(eager.players, compiled.players) < TOLERANCE
