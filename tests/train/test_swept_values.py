"""A sweep's settings train as one batch, and each as it would alone."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_map

from ganbench.suite.plan import batches
from ganbench.train.step.swept_values import swept_values
from ganbench.train.trainer import Trainer

ADAM = "optimizer: {name: adam, lr: 1.0e-3, betas: [0.5, 0.9]}"
#: Variants with what is swept of them, and what then differs per replica.
SWEEPS = {
    "learning rate": (f"{{loss: nonsaturating, {ADAM}}}", "{optimizer.lr: [1.0e-4, 1.0e-3]}"),
    "a player's": (f"{{loss: minimax, {ADAM}}}", "{optimizer.generator.lr: [1.0e-4, 1.0e-3]}"),
    "betas": (f"{{loss: nonsaturating, {ADAM}}}", "{optimizer.betas: [[0.0, 0.9], [0.5, 0.999], [0.9, 0.99]]}"),
    "penalty": ("{loss: wgan-gp}", "{loss.penalty: [0.1, 10.0]}"),
    "all": (
        f"{{loss: nonsaturating-r1, {ADAM}}}",
        "{loss.gamma: [0.1, 1.0], optimizer.lr: [1e-4, 1e-3], optimizer.discriminator.betas: [[0.5, 0.9], [0, 0.99]]}",
    ),
    "rmsprop": ("{loss: wgan-gp, optimizer: rmsprop}", "{optimizer.alpha: [0.9, 0.99], optimizer.eps: [1e-8, 1e-6]}"),
    "memory": ("{loss: hinge, penalty: {name: lecam, weight: 3.0}}", "{penalty.lecam.decay: [0.5, 0.99]}"),
    "projection": ("{loss: wgan, update: simultaneous}", "{loss.clip: [0.01, 0.1]}"),
    "clipped gradients": ("{loss: hinge, optimizer: {name: sgd, lr: 0.1}}", "{optimizer.clip: [0.01, 0.1]}"),
}


def both_ways(cells, registry, device, engine):
    """The state of each cell trained with the others, and alone.

    Of eight, that differ in three numbers, three: they have both values of each, and no two numbers change alike.
    """
    together = Trainer(cells, device, engine)
    together.prepare()
    assert together.engine == engine, together.note
    state = together.advance(together.start, 0, 100)
    for at, cell in list(enumerate(cells))[:: 3 if len(cells) == 8 else 1]:
        alone = Trainer([cell], device, "eager")
        seeds = len(cell.seeds)
        own = tree_map(lambda tensor, at=at, seeds=seeds: tensor[at * seeds : (at + 1) * seeds], state)
        yield own, alone.advance(alone.start, 0, 100)


@pytest.mark.parametrize("name", SWEEPS)
def test_settings_in_one_batch_train_as_alone(name, settings, shipped, cpu, apart):
    """To 1e-5 in every parameter over 100 steps; and they do differ."""
    cells = settings(*SWEEPS[name])
    assert batches(cells) == (tuple(cells),)
    found = list(both_ways(cells, shipped, cpu, "eager"))
    for own, alone in found:
        assert apart(own, alone) < 1e-5
    for own, _ in found[1:]:
        assert apart(own, found[0][0]) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all", "memory"])
def test_settings_in_one_batch_compile_to_the_same(name, settings, shipped, cpu, apart):
    for own, alone in both_ways(settings(*SWEEPS[name], seeds=1), shipped, cpu, "compiled"):
        assert apart(own, alone) < 1e-5


def test_settings_train_seed_by_seed_to_the_same(settings, shipped, cpu, apart):
    for own, alone in both_ways(settings(*SWEEPS["betas"], seeds=1), shipped, cpu, "serial"):
        assert apart(own, alone) < 1e-5


def test_only_what_differs_is_given_to_each_replica(settings, cpu):
    """In the order of the replicas: all seeds of the first setting, then of the second."""
    variants = [cell.trained for cell in settings(*SWEEPS["all"])]
    found = swept_values(variants, 2, cpu)
    assert {part: set(own) for part, own in found.items()} == {
        "loss": {"gamma"},
        "generator_optimizer": {"lr"},
        "discriminator_optimizer": {"lr", "betas"},
    }
    assert found["loss"]["gamma"].tolist() == [0.1] * 8 + [1.0] * 8
    assert found["generator_optimizer"]["lr"].tolist() == ([1e-4] * 4 + [1e-3] * 4) * 2
    assert found["discriminator_optimizer"]["betas"].tolist() == [[0.5, 0.9], [0.5, 0.9], [0.0, 0.99], [0.0, 0.99]] * 4
    assert swept_values(variants[:1], 2, cpu) == {}
    assert all(value.dtype == torch.float64 for own in found.values() for value in own.values())


def test_settings_share_their_seeds_weights_and_noise(settings, shipped, cpu):
    """Comparisons between settings are paired."""
    cells = settings(*SWEEPS["learning rate"])
    trainer = Trainer(cells, cpu, "eager")
    assert trainer.seeds == (0, 1, 0, 1)
    for player in trainer.start.players:
        assert torch.equal(player.theta[:2], player.theta[2:])
    for draw in trainer.noise(trainer.seeds).at(3):
        assert torch.equal(draw[:2], draw[2:])


def test_what_is_evaluated_is_the_settings_own(settings, shipped, cpu):
    cells = settings(*SWEEPS["learning rate"])
    trainer = Trainer(cells, cpu, "eager")
    state = trainer.advance(trainer.start, 0, 20)
    alone = Trainer(cells[1:], cpu, "eager")
    outcomes = [
        one.metric_inputs(one.advance(one.start, 0, 20), 20, replica, frozenset({"samples"}), final=True)["samples"]
        for one, replica in ((trainer, 3), (alone, 1))
    ]
    torch.testing.assert_close(*outcomes, atol=1e-5, rtol=0)
    assert not torch.equal(state.players.G.theta[1], state.players.G.theta[3])


def test_code_that_wants_a_number_where_a_sweep_gives_a_tensor_is_found_out(settings, shipped, cpu):
    """rpgan leaves a penalty out whose weight is 0: settings with and without are not one program."""
    trainer = Trainer(settings("{loss: rpgan}", "{loss.r1: [0.0, 1.0]}"), cpu, "eager")
    assert "reads a number out of a tensor" in trainer.probe.serial
    assert "(rpgan.py:" in trainer.probe.serial
