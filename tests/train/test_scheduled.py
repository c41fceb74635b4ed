"""A schedule trains as the same schedule written into an optimizer does: swept, batched, resumed, in every engine."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_leaves

from ganbench.core.errors import PluginError
from ganbench.suite.plan import batches
from ganbench.train.engine.trace import trace
from ganbench.train.probe import invent
from ganbench.train.step.game import functional_gradient
from ganbench.train.step.step import of_replica, one_step
from ganbench.train.step.swept_values import with_values
from ganbench.train.trainer import Trainer

#: An optimizer without and with a schedule of its own: a cosine over 100 generator steps, ``updates`` updates in each.
PLUGIN = """
import math
import torch
from ganbench import Optimizer, Penalty, Schedule, hookimpl, input_gradient, squared_norm

def start(theta):
    return torch.zeros_like(theta), torch.zeros_like(theta)

def bare(theta, gradient, state, t, *, rate: float = 1e-3):
    mean, square = (old + 0.1 * (new - old) for old, new in zip(state, (gradient, gradient**2)))
    return theta - rate * mean / (square.sqrt() + 1e-8), (mean, square)

def decayed(
    theta, gradient, state, t, *, rate: float = 1e-3, warmup: float = 0.0, final: float = 0.0, updates: int = 1
):
    step = torch.div(t.double() - 1, updates, rounding_mode="floor")
    rise = ((step + 1) / warmup).clamp(max=1)
    done = ((step - warmup) / (100 - warmup)).clamp(0, 1)
    factor = rise * (final + (1 - final) / 2 * (1 + torch.cos(math.pi * done)))
    return bare(theta, gradient, state, t, rate=rate * factor)

@hookimpl
def ganbench_optimizers():
    yield Optimizer("bare", start, bare, scheduled="rate")
    yield Optimizer("decayed", start, decayed)

def fading(D, real, step, *, weight: float = 10.0):
    return weight * (0.2 + 0.8 * (1 - step / 100)) / 2 * squared_norm(input_gradient(D, real)).mean()

@hookimpl
def ganbench_penalties():
    yield Penalty("fading", fading)

def half(step):
    return step * 0 + 0.5

def two_numbers(step):
    return step.repeat(2)

seen = []

def falls_below(step, steps, *, slope: float = 3.0):
    return 1 - slope * step / steps

def endless(step, steps):
    return 1 / (steps - 1 - step)

def remembers(step):
    seen.append(1)
    return 1.0 / len(seen)

@hookimpl
def ganbench_schedules():
    yield Schedule("never", lambda: 0.0)
    yield Schedule("half", half)
    yield Schedule("two-numbers", two_numbers)
    yield Schedule("remembers", remembers)
    yield Schedule("falls-below", falls_below)
    yield Schedule("endless", endless)
"""
UPDATE = "update: {name: alternating, discriminator_steps: 3}"


@pytest.fixture
def registry(foreign):
    return foreign(PLUGIN)


def states(cells, device, engine="eager", steps=30):
    trainer = Trainer(cells, device, engine)
    trainer.prepare()
    assert trainer.engine == engine, trainer.note
    return trainer.advance(trainer.start, 0, steps)


def written(settings, registry, seeds=2):
    """The cells of a swept schedule, and those of the sweep of an optimizer that has the schedule in its code."""
    swept = "{{optimizer{0}.final: [0.0, 0.5], optimizer{0}.warmup: [0, 20]}}"
    bare = f"{{loss: nonsaturating, {UPDATE}, optimizer: {{name: bare, schedule: cosine}}}}"
    decayed = f"{{loss: nonsaturating, {UPDATE}, optimizer: {{name: decayed, discriminator: {{updates: 3}}}}}}"
    return (
        settings(bare, swept.format(".schedule"), seeds=seeds, registry=registry),
        settings(decayed, swept.format(""), seeds=seeds, registry=registry),
    )


@pytest.mark.parametrize(("name", "said"), [("rate", True), ("half", False)])
def test_a_schedule_that_returns_the_rate_itself_is_said(foreign, cell, cpu, name, said):
    code = (
        PLUGIN
        + """    yield Schedule("rate", lambda step: 1e-3 * 0.99**step)
"""
    )
    one = cell(f"{{loss: minimax, optimizer: {{schedule: {name}}}}}", seeds=1, registry=foreign(code))
    words = "schedule rate's factor() is at most 0.001 in all 100 steps, and the 'lr' of generator_optimizer is"
    assert (words in Trainer([one], cpu, "eager").note) is said


def test_a_swept_schedule_is_the_same_schedule_in_an_optimizers_code(settings, registry, cpu, apart):
    """As one batch of settings and seeds, with three updates of D a step, to 1e-6 after 30 steps; and as alone."""
    scheduled, coded = written(settings, registry)
    assert batches(scheduled) == (tuple(scheduled),)
    own = states(scheduled, cpu)
    assert apart(own, states(coded, cpu)) < 1e-6
    last = states(scheduled[3:], cpu)
    assert apart(own, last, among=slice(6, 8)) < 1e-6
    assert apart(own, last, among=slice(0, 2)) > 1e-3


def test_seed_by_seed_a_schedule_is_the_same(settings, registry, cpu, apart):
    scheduled, _ = written(settings, registry, seeds=1)
    assert apart(states(scheduled, cpu), states(scheduled, cpu, "serial")) < 1e-5


@pytest.mark.slow
def test_compiled_a_schedule_is_the_same(settings, registry, cpu, apart):
    scheduled, _ = written(settings, registry, seeds=1)
    assert apart(states(scheduled, cpu), states(scheduled, cpu, "compiled")) < 1e-5


DECAYED = "{loss: minimax, optimizer: {schedule: {name: cosine, warmup: 30, final: 0.1}}}"


def test_resumed_in_its_middle_it_goes_on_to_the_digit(cell, cpu):
    """In the warm-up, and in the decay."""
    trainer = Trainer([cell(DECAYED)], cpu, "eager")
    whole = trainer.advance(trainer.start, 0, 100)
    for middle in (16, 64):
        again = Trainer([cell(DECAYED)], cpu, "eager")
        parts = again.advance(trainer.advance(trainer.start, 0, middle), middle, 100)
        assert all(map(torch.equal, tree_leaves(whole), tree_leaves(parts)))


@pytest.mark.parametrize(
    ("scheduled", "coded"),
    [
        (("{name: r1, schedule: {name: linear, final: 0.2}}", "r1.weight"), ("fading", "fading.weight")),
        (
            ("{name: instance-noise, schedule: linear}", "instance-noise.std"),
            ("{name: instance-noise, steps: 100}", "instance-noise.std"),
        ),
    ],
    ids=["weight", "std"],
)
def test_a_penalty_is_scaled_as_by_its_own_code(scheduled, coded, settings, registry, cpu, apart):
    """R1's weight; and instance noise, whose own parameter ``steps`` is a line to 0. Both swept, too."""
    one, other = (
        states(
            settings(f"{{loss: hinge, penalty: {penalty}}}", f"{{penalty.{key}: [0.5, 5.0]}}", registry=registry), cpu
        )
        for penalty, key in (scheduled, coded)
    )
    assert apart(one, other) < 1e-5


RULES = ["alternating", "simultaneous", "extragradient", "unrolled", "consensus"]
#: Muon moves hidden layers alone.
DEEP = "architecture: {name: mlp, width: 8, depth: 2}"


@pytest.mark.parametrize("rule", RULES)
def test_every_update_rule_moves_by_the_scheduled_rate(rule, cell, registry, cpu):
    """With a factor of 0 nobody moves; without it both do."""
    for schedule, moves in (("never", False), ("half", True)):
        variant = f"{{loss: minimax, update: {rule}, optimizer: {{name: sgd, lr: 0.1, schedule: {schedule}}}}}"
        trainer = Trainer([cell(variant, registry=registry)], cpu, "eager")
        after = trainer.advance(trainer.start, 0, 3)
        for one, other in zip(trainer.start.players, after.players, strict=True):
            assert torch.equal(one.theta, other.theta) != moves


@pytest.mark.parametrize(
    "optimizer",
    ["adam", "adamw", "lion", "muon", "rmsprop", "sgd", "optimistic-adam", "optimistic-sgd", "lookahead-adam"],
)
def test_half_of_twice_the_rate_is_the_rate(optimizer, cell, registry, cpu, apart):
    found = [
        states(
            [cell(f"{{loss: minimax, {DEEP}, optimizer: {{name: {optimizer}, {rate}}}}}", registry=registry)],
            cpu,
            steps=8,
        )
        for rate in ("lr: 2e-3, schedule: half", "lr: 1e-3", "lr: 2e-3")
    ]
    assert apart(found[0], found[1]) < 1e-6 < apart(found[0], found[2])


def test_constant_is_no_schedule_to_the_bit(cell, cpu):
    one, other = (states([cell(f"{{loss: minimax, optimizer: {{{own}}}}}")], cpu) for own in ("", "schedule: constant"))
    assert all(map(torch.equal, tree_leaves(one), tree_leaves(other)))


def test_without_a_schedule_nothing_is_computed_for_one(cell, cpu):
    """The rules stay the very objects that they are: no operation is added to the step."""
    trainer = Trainer([cell("{loss: minimax, penalty: r1}")], cpu, "eager")
    assert trainer.rules.schedules == ()
    found = with_values(trainer.rules, trainer._update, {}, torch.tensor(3))
    assert found[0] is trainer.rules
    assert found[1] is trainer._update


def test_the_rate_at_each_step_is_that_of_the_whole_budget_and_of_one_player(cell, cpu):
    """Steps are timed beyond the budget too: there the last factor stays."""
    penalty = "{name: r1, weight: 3, schedule: {name: linear, final: 0.5}}"
    variant = f"{{loss: minimax, optimizer: {{lr: 0.5, generator: {{schedule: linear}}}}, penalty: {penalty}}}"
    trainer = Trainer([cell(variant)], cpu, "eager")
    rates = {0: 0.5, 50: 0.25, 99: 0.005, 100: 0.005, 10**6: 0.005}
    for step, rate in rates.items():
        rules, _ = with_values(trainer.rules, trainer._update, {}, torch.tensor(step))
        assert float(rules.generator_optimizer.parameters["lr"]) == pytest.approx(rate, rel=1e-12)
        assert rules.discriminator_optimizer.parameters["lr"] == 0.5
        weight = rules.penalties[0].functions["discriminator"].parameters["weight"]
        assert float(weight) == pytest.approx(3 * (0.5 + rate), rel=1e-12)


def test_another_budget_is_another_step_for_the_compiler(cell, cpu):
    """Compiled steps are kept by what they compute: the budget is a number in it."""

    def text(steps, variant=DECAYED):
        trainer = Trainer([cell(variant, steps=steps)], cpu, "eager")
        step = one_step(trainer.rules, trainer._update, functional_gradient)
        own = of_replica((trainer.start, trainer.constants), 0)
        return trace(step, *own, invent(trainer.probe.draws, cpu), torch.zeros((), dtype=torch.long)).text

    assert text(100) == text(100) != text(200)
    assert text(100, "{loss: minimax}") == text(200, "{loss: minimax}")


@pytest.mark.parametrize(
    ("schedule", "cause"),
    [
        ("two-numbers", r"schedule two-numbers's factor\(\) must return a scalar, not the shape \(2,\)"),
        (
            "falls-below",
            r"is -0.02 at generator step \d+ of \d+, for the 'lr' of \w+_optimizer: it must return a finite",
        ),
        ("endless", r"schedule endless's factor\(\) is inf at generator step \d+ of \d+"),
        ("remembers", "a step changes 'seen', and a step must not remember"),
    ],
)
def test_a_schedule_that_is_no_function_of_the_step_is_refused(schedule, cause, cell, registry, cpu):
    with pytest.raises(PluginError, match=cause):
        Trainer([cell(f"{{loss: minimax, optimizer: {{schedule: {schedule}}}}}", registry=registry)], cpu, "eager")


def test_a_schedule_that_turns_negative_at_one_setting_of_a_sweep_is_refused(settings, registry, cpu):
    variant = "{loss: nonsaturating, optimizer: {name: bare, schedule: falls-below}}"
    swept = settings(variant, "{optimizer.schedule.slope: [0.5, 3.0]}", registry=registry)
    with pytest.raises(PluginError, match=r"schedule falls-below's factor\(\) is -"):
        Trainer(swept, cpu, "eager")
