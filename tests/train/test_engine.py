"""The engines differ in nothing but rounding, and a seed does not know who it is trained with."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_flatten, tree_map

from ganbench.registry import Registry
from ganbench.train.cell import Trainer

LOSSES = sorted(Registry.load().names("loss"))
STEPS = 100
TOLERANCE = 1e-5


def train(cell, registry, cpu, engine="eager", steps=STEPS):
    trainer = Trainer([cell], registry, cpu, engine)
    assert trainer.engine == engine, trainer.note
    return trainer.advance(trainer.start, 0, steps)


def apart(one, other) -> float:
    """The largest difference between the players' parameters."""
    pairs = [(a.theta, b.theta) for a, b in zip(one.players, other.players, strict=True)]
    return max(float((a - b).abs().max()) for a, b in pairs)


def variants(loss):
    yield f"{{loss: {loss}}}"
    yield f"{{loss: {loss}, update: simultaneous}}"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_seed_alone_is_the_same_seed_in_a_batch_of_16(loss, cell, shipped, cpu):
    """Over the first 100 steps, to 1e-5 in every parameter, for every shipped loss under both update rules."""
    for variant in variants(loss):
        together = train(cell(variant, seeds=16), shipped, cpu)
        for seed in (0, 7, 15):
            alone = train(cell(variant, seeds=[seed]), shipped, cpu)
            mates = tree_map(lambda tensor, at=seed: tensor[at : at + 1], together)
            assert apart(alone, mates) < TOLERANCE


@pytest.mark.parametrize("loss", LOSSES)
def test_serial_and_eager_give_the_same_first_100_steps(loss, cell, shipped, cpu):
    for variant in variants(loss):
        eager, serial = (train(cell(variant), shipped, cpu, engine) for engine in ("eager", "serial"))
        assert apart(eager, serial) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_and_eager_give_the_same_first_100_steps(loss, cell, shipped, cpu):
    variant = f"{{loss: {loss}}}"
    eager, compiled = (train(cell(variant), shipped, cpu, engine) for engine in ("eager", "compiled"))
    assert apart(eager, compiled) < TOLERANCE


@pytest.mark.slow
def test_more_variants_than_the_compilers_cache_holds_are_all_compiled(cell, shipped, cpu):
    """torch keeps 8 compilations of one piece of code by default; steps of different variants must not share one."""
    for gamma in range(10):
        loss = f"{{name: nonsaturating-r1, gamma: {gamma}}}"
        variant = f"{{loss: {loss}, architecture: {{name: mlp, width: 4, depth: 0}}}}"
        state = train(cell(variant, seeds=2), shipped, cpu, "compiled", steps=2)
        assert state.survived.tolist() == [2, 2]


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_normalisations_can_be_batched(norm, cell, shipped, cpu):
    """With SGD: a batch norm makes some gradients zero but for rounding, and Adam would make whole steps of that."""
    architecture = f"{{name: mlp, width: 16, norm: {norm}}}"
    variant = f"{{loss: nonsaturating, architecture: {architecture}, optimizer: {{name: sgd, lr: 0.01}}}}"
    together, alone = (train(cell(variant, seeds=seeds), shipped, cpu, steps=20) for seeds in ([0, 1, 2], [1]))
    assert apart(alone, tree_map(lambda tensor: tensor[1:2], together)) < TOLERANCE


def test_slicing_a_run_of_steps_changes_no_bit(cell, shipped, cpu):
    small = cell("{loss: nonsaturating}")
    trainer = Trainer([small], shipped, cpu, "eager")
    whole = trainer.advance(trainer.start, 0, 100)
    state = trainer.start
    for begin, end in ((0, 1), (1, 63), (63, 64), (64, 65), (65, 100)):
        state = trainer.advance(state, begin, end)
    for a, b in zip(tree_flatten(whole)[0], tree_flatten(state)[0], strict=True):
        assert torch.equal(a, b)


def test_a_diverged_seed_leaves_its_batch_mates_unharmed_to_the_bit(cell, shipped, cpu):
    """A seed goes NaN half way: it is counted out at that very step, and the others end as if it had not."""
    small = cell("{loss: minimax}")
    trainer = Trainer([small], shipped, cpu, "eager")
    sound = trainer.advance(trainer.start, 0, 80)
    poisoned = trainer.advance(trainer.start, 0, 30)
    poisoned.players.G.theta[1] = torch.nan
    poisoned = trainer.advance(poisoned, 30, 80)
    assert poisoned.survived.tolist() == [80, 30, 80, 80]
    for a, b in zip(sound.players, poisoned.players, strict=True):
        assert torch.equal(a.theta[[0, 2, 3]], b.theta[[0, 2, 3]])


def test_parameters_that_overflow_count_their_seed_out_at_that_step(cell, shipped, cpu):
    """Finite losses do not save a step that leads to parameters which are not."""
    small = cell("{loss: wgan-gp, optimizer: {name: sgd, lr: 1.0e+38}}")
    trainer = Trainer([small], shipped, cpu, "eager")
    after = trainer.advance(trainer.start, 0, 1)
    finite = (after.players.D.theta.isfinite().all(1) & after.players.G.theta.isfinite().all(1)).tolist()
    assert [bool(steps) for steps in after.survived.tolist()] == finite
    assert not all(finite)


def test_nothing_touches_global_random_state(cell, shipped, cpu):
    small = cell("{loss: wgan-gp}")
    before = torch.get_rng_state()
    trainer = Trainer([small], shipped, cpu, "eager")
    state = trainer.advance(trainer.start, 0, 10)
    trainer.outcome(state, 10, 0, frozenset({"samples", "real", "d_real", "d_fake"}), final=True)
    assert torch.equal(before, torch.get_rng_state())


def test_a_short_run_is_eager_and_a_long_one_compiled(cell, shipped, cpu):
    """The choice follows from the step's operations and the number of steps alone, so it is always the same."""
    for steps, engine in ((200, "eager"), (1_000_000, "compiled")):
        one = cell("{loss: minimax}", steps=steps)
        assert Trainer([one], shipped, cpu, "auto").engine == engine
