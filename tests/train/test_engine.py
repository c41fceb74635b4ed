"""The engines differ in nothing but rounding, and a seed does not know who it is trained with, nor how many at once."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch.utils._pytree import tree_flatten

from ganbench.train import trainer as cells
from ganbench.train.engine.cost import StepCost
from ganbench.train.probe import Probe
from ganbench.train.step.draws import DrawSpec
from ganbench.train.trainer import Trainer

#: What differs in kind: the conformance kit does the same for every shipped plugin, without a compiler.
LOSSES = ("minimax", "nonsaturating", "nonsaturating-r1", "rpgan", "wgan-gp")
UPDATES = ("alternating", "simultaneous")
#: A batch norm makes some gradients zero but for rounding, and Adam would make whole steps of that; so would a layer of
#: dead units of their variance.
ARCHITECTURES = {
    "plain": "architecture: {name: mlp, width: 8, depth: 1}",
    "layer norm, dropout": (
        "architecture: {name: mlp, width: 8, depth: 2, activation: leaky_relu, norm: layer, dropout: 0.3}"
    ),
    "batch norm": (
        "architecture: {name: mlp, width: 8, depth: 2, activation: tanh, norm: batch}, optimizer: {name: sgd}"
    ),
}
TOLERANCE = 1e-5
#: Each loss with each architecture, under one of the two update rules: of the three, each pair of two is there.
PAIRS = [
    (loss, UPDATES[(i + j) % len(UPDATES)], architecture)
    for i, loss in enumerate(LOSSES)
    for j, architecture in enumerate(ARCHITECTURES)
]
#: Of those, each loss under both update rules, and each architecture with several losses.
BOTH = [one for at, one in enumerate(PAIRS) if at % 3 != (2 if at // 3 % 2 == 0 else 0)]


def variant(loss, update="alternating", architecture="plain"):
    return f"{{loss: {loss}, update: {update}, {ARCHITECTURES[architecture]}}}"


@pytest.fixture(scope="module")
def together(cell, cpu):
    """The state after 100 eager steps of 16 seeds at once, trained for the first test that asks for it."""

    @cache
    def train(variant):
        trainer = Trainer([cell(variant, seeds=16)], cpu, "eager")
        return trainer.advance(trainer.start, 0, 100)

    return train


@pytest.mark.parametrize(("loss", "update", "architecture"), BOTH)
def test_a_seed_alone_is_the_same_seed_in_a_batch_of_16(loss, update, architecture, together, trained, apart):
    """Over the first 100 steps, to 1e-5 in every parameter; normalisations and dropout can be batched too."""
    one = variant(loss, update, architecture)
    assert apart(together(one), trained(one, seeds=[15]), among=[15]) < TOLERANCE


@pytest.mark.parametrize(("loss", "update", "architecture"), PAIRS)
def test_serial_and_eager_give_the_same_first_100_steps(loss, update, architecture, together, trained, apart):
    one = variant(loss, update, architecture)
    assert apart(together(one), trained(one, "serial", seeds=[1]), among=[1]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "update", "architecture"), BOTH)
def test_compiled_and_eager_give_the_same_first_100_steps(loss, update, architecture, trained, apart):
    eager, compiled = (trained(variant(loss, update, architecture), engine) for engine in ("eager", "compiled"))
    assert apart(eager, compiled) < TOLERANCE


@pytest.mark.slow
def test_in_chunks_of_any_size_and_number_side_by_side_the_first_100_steps_are_the_same(trained, apart, chunked):
    """1, 3, 5 and 8 seeds two at a time, the last chunk filled up, by one worker and by two; one compilation does."""
    eager = trained(variant("minimax"), seeds=8)
    for replicas in (1, 3, 5, 8):
        found = []
        for workers in (1, 2):
            chunked(2, workers)
            found.append(trained(variant("minimax"), "compiled", seeds=replicas))
            assert apart(eager, found[-1], among=slice(replicas)) < TOLERANCE
        # Who is at work beside changes no bit; one worker was given no more than there are seeds.
        if replicas > 1:
            assert apart(*found) == 0


@pytest.mark.parametrize("size", [1, 2])
def test_eager_chunks_of_any_size_give_the_same_first_100_steps(size, together, trained, apart, chunked):
    """Of three seeds: three chunks, and two, of which the last is filled up."""
    whole = together(variant("wgan-gp"))
    chunked(size)
    assert apart(whole, trained(variant("wgan-gp"), seeds=3), among=slice(3)) < TOLERANCE


def test_slicing_a_run_of_steps_changes_no_bit(cell, shipped, cpu):
    small = cell("{loss: nonsaturating}")
    trainer = Trainer([small], cpu, "eager")
    whole = trainer.advance(trainer.start, 0, 100)
    state = trainer.start
    for begin, end in ((0, 1), (1, 63), (63, 64), (64, 65), (65, 100)):
        state = trainer.advance(state, begin, end)
    for a, b in zip(tree_flatten(whole)[0], tree_flatten(state)[0], strict=True):
        assert torch.equal(a, b)


def test_a_diverged_seed_leaves_its_batch_mates_unharmed_to_the_bit(cell, shipped, cpu):
    """A seed goes NaN half way: it is counted out at that very step, and the others end as if it had not."""
    small = cell("{loss: minimax}")
    trainer = Trainer([small], cpu, "eager")
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
    trainer = Trainer([small], cpu, "eager")
    after = trainer.advance(trainer.start, 0, 1)
    finite = (after.players.D.theta.isfinite().all(1) & after.players.G.theta.isfinite().all(1)).tolist()
    assert [bool(steps) for steps in after.survived.tolist()] == finite
    assert not all(finite)


def test_nothing_touches_global_random_state(cell, shipped, cpu):
    small = cell("{loss: wgan-gp}")
    before = torch.get_rng_state()
    trainer = Trainer([small], cpu, "eager")
    state = trainer.advance(trainer.start, 0, 10)
    trainer.metric_inputs(state, 10, 0, frozenset({"samples", "real", "d_real", "d_fake"}), final=True)
    assert torch.equal(before, torch.get_rng_state())


def test_a_short_run_is_eager_and_a_long_one_compiled(cell, shipped, cpu):
    for steps, engine in ((200, "eager"), (1_000_000, "compiled")):
        one = cell("{loss: minimax}", steps=steps)
        assert Trainer([one], cpu, "auto").engine == engine


@pytest.mark.parametrize(("steps", "engine"), [(1_000, "eager"), (20_000, "compiled")])
def test_it_is_compiled_where_that_saves_more_time_than_it_takes(steps, engine):
    """An eager step of 2 ms, three times as fast when compiled: from 7,500 steps on that is 10 s and more."""
    cost = StepCost(*[1] * 7)
    draws = (DrawSpec("real.0", "real", (1, 2)),)
    probe = Probe(draws, False, (), (), serial="", cost=cost, eager_seconds=2e-3)
    assert probe.engine(steps, "auto") == engine
    assert [probe.engine(steps, asked) for asked in ("eager", "compiled", "serial")] == ["eager", "compiled", "serial"]
    alone = Probe(draws, False, (), (), serial="why", cost=cost, eager_seconds=0.0)
    assert {alone.engine(steps, asked) for asked in ("auto", "eager", "compiled", "serial")} == {"serial"}


@pytest.mark.parametrize(
    ("operations", "steps", "serial", "engine"),
    [
        (260, 5_000, 20e-3, "compiled"),
        (5_000, 5_000, 20e-3, "eager"),
        (5_000, 50_000, 20e-3, "compiled"),
        (5_000, 5_000, 4e-3, "serial"),
        (5_000, 5_000, 9e-3, "eager"),
    ],
)
def test_the_engine_is_the_one_that_finishes_first(operations, steps, serial, engine):
    """A long step, such as a recurrent network's, takes long to compile, and may be slower for a batch of models."""
    cost = StepCost(operations, *[1] * 6)
    probe = Probe((), False, (), (), serial="", cost=cost, eager_seconds=10e-3, serial_seconds=serial)
    assert probe.engine(steps, "auto") == engine
    assert probe.engine(steps, "eager") == "eager"


def test_a_cell_goes_on_with_the_engine_that_it_began_with(cell, shipped, cpu):
    """Though another one would finish first now; and what was asked for is what its notes are about."""
    trainer = Trainer([cell("{loss: minimax}")], cpu, "auto", kept="serial")
    assert (trainer.engine, trainer.note) == ("serial", "")


def test_a_block_of_random_numbers_is_drawn_once(cell, shipped, cpu, monkeypatch):
    """Training in slices draws no more than training at a stretch."""
    drawn = []
    one = cells.RandomBlocks._one

    def spy(noise, draw, seed, index):
        drawn.append((draw.purpose, seed, index))
        return one(noise, draw, seed, index)

    monkeypatch.setattr(cells.RandomBlocks, "_one", spy)
    trainer = Trainer([cell("{loss: minimax}", seeds=2)], cpu, "eager")
    state = trainer.start
    for begin in range(0, 128, 16):
        state = trainer.advance(state, begin, begin + 16)
    assert len(drawn) == len(set(drawn))
    assert {index for _, _, index in drawn} == {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["nonsaturating", "rpgan"])
def test_networks_of_a_usual_width_are_compiled_to_the_same_steps(loss, cell, apart, shipped, cpu):
    """Wide enough for the products that another library may take over, where that is the faster."""
    wide = cell(f"{{loss: {loss}, architecture: {{name: mlp, width: 128}}}}", seeds=2, batch=128)
    found = []
    for engine in ("eager", "compiled"):
        trainer = Trainer([wide], cpu, engine)
        found.append(trainer.advance(trainer.start, 0, 30))
    assert apart(*found) < TOLERANCE
