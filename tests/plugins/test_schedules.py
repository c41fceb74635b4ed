"""The shipped schedules are torch's own, and after a warm-up what their papers say, step for step."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import lr_scheduler

STEPS = 40
#: For each schedule with its parameters: torch's class with its arguments.
TORCH = {
    "cosine": ("cosine", {"final": 0.1}, lr_scheduler.CosineAnnealingLR, {"T_max": STEPS, "eta_min": 0.1}),
    "cosine to 0": ("cosine", {}, lr_scheduler.CosineAnnealingLR, {"T_max": STEPS}),
    "linear": (
        "linear",
        {"final": 0.2},
        lr_scheduler.LinearLR,
        {"start_factor": 1.0, "end_factor": 0.2, "total_iters": STEPS},
    ),
    "exponential": ("exponential", {"final": 0.01}, lr_scheduler.ExponentialLR, {"gamma": 0.01 ** (1 / STEPS)}),
    "step": (
        "step",
        {"milestones": (0.25, 0.5, 0.8), "gamma": 0.3},
        lr_scheduler.MultiStepLR,
        {"milestones": [10, 20, 32], "gamma": 0.3},
    ),
    "constant": ("constant", {}, lr_scheduler.ConstantLR, {"factor": 1.0}),
}


def factors(entry, steps=STEPS, **given):
    """The factor at each step, with the defaults for what is not given."""
    names = {"step", "steps"}
    found = []
    for step in range(steps):
        scope = {"step": torch.tensor(float(step), dtype=torch.float64), "steps": steps}
        code = entry.value.factor.__code__
        named = [name for name in code.co_varnames[: code.co_argcount] if name in names]
        found.append(float(entry.value.factor(*[scope[name] for name in named], **entry.resolve(given))))
    return found


@pytest.mark.parametrize("case", TORCH)
def test_without_a_warm_up_each_factor_is_that_of_torch(case, shipped):
    name, given, theirs, arguments = TORCH[case]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = theirs(optimizer, **arguments)
    wanted = []
    for _ in range(STEPS):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert factors(shipped.get("schedule", name), **given) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "decay"),
    [
        ("cosine", lambda done: 0.1 + 0.9 / 2 * (1 + math.cos(math.pi * done))),
        ("linear", lambda done: 0.1 + 0.9 * (1 - done)),
        ("exponential", lambda done: 0.1**done),
    ],
)
def test_a_warm_up_ends_at_1_and_the_decay_fills_what_is_left(name, decay, shipped):
    """Rises by (step + 1) / warmup; then decays as it would over a budget of the steps that are left."""
    found = factors(shipped.get("schedule", name), warmup=10, final=0.1)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert found[10:] == pytest.approx([decay(step / 30) for step in range(30)])


def test_a_step_decay_has_its_milestones_where_they_are_without_a_warm_up(shipped):
    entry = shipped.get("schedule", "step")
    plain, warm = factors(entry), factors(entry, warmup=30)
    assert plain == pytest.approx([1.0] * 20 + [0.1] * 10 + [0.01] * 10)
    assert warm == pytest.approx([min(1, (step + 1) / 30) * factor for step, factor in enumerate(plain)])


@pytest.mark.parametrize("percent", [7, 14, 28, 55, 56, 70])
def test_the_step_at_a_milestone_is_the_first_that_is_smaller(percent, shipped):
    """Also where the share times the steps is rounded up, as 0.07 * 100 is to 7.000000000000001."""
    found = factors(shipped.get("schedule", "step"), steps=100, milestones=(percent / 100,))
    assert found.index(0.1) == percent


def test_a_linear_decay_may_be_held_first(shipped):
    """As CycleGAN's: half of the budget at the full rate, then a line to 0."""
    found = factors(shipped.get("schedule", "linear"), hold=0.5)
    assert found[:21] == [1.0] * 21
    assert found[20:] == pytest.approx([1 - step / 20 for step in range(20)])


def test_an_exponential_decay_that_is_held_first_is_warmup_stable_decay(shipped):
    """Equation 1 of Hu et al. 2024: a rise, the full rate, then one factor at each step."""
    found = factors(shipped.get("schedule", "exponential"), warmup=10, hold=0.6, final=0.1)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert found[10:29] == [1.0] * 19
    assert found[28:] == pytest.approx([0.1 ** (step / 12) for step in range(12)])


def test_a_warm_up_alone_stays_at_1(shipped):
    found = factors(shipped.get("schedule", "warmup"), warmup=4)
    assert found == [0.25, 0.5, 0.75, *[1.0] * 37]


@pytest.mark.parametrize("name", ["cosine", "linear", "exponential", "step"])
def test_without_a_warm_up_the_first_factor_is_1(name, shipped):
    """From a budget of one step on."""
    for steps in (1, 2, 1000):
        assert factors(shipped.get("schedule", name), steps)[0] == 1.0


def test_every_number_of_steps_is_a_whole_one_below_the_budget(shipped):
    """A share in place of steps, ``warmup: 0.1``, would be no warm-up at all."""
    for entry in shipped.entries:
        if entry.kind == "schedule":
            known = {parameter.name: parameter for parameter in entry.parameters}
            assert entry.value.in_steps == tuple(name for name in known if name == "warmup")
            for name in entry.value.in_steps:
                with pytest.raises(ValueError, match="divisible by 1"):
                    known[name].read(1.5)
