"""The kit on schedules: a sound one passes, and each broken one fails at the property that is meant to catch it."""

from __future__ import annotations

import pytest

from ganbench.testing import check

FILE = '''"""A schedule of a test."""
import random
import torch
from ganbench import Schedule, hookimpl

def factor(step, steps, *, final: float = 0.1, warmup: float = 50.0):
    done = step / steps
    {code}

@hookimpl
def ganbench_schedules():
    yield Schedule("mine", factor, in_steps=("warmup",))
'''
SOUND = "return 1 - (1 - final) * done"
NUMBERS = "a number of at least 0 at every step"
#: A line of code, and the properties that fail with it, each with its reason.
BROKEN = {
    "negative at the end": ("return 1 - 1.001 * (step + 1) / steps", {NUMBERS: "is -0.001 at step 50 of 51"}),
    "not defined at first": ("return (step / step)", {NUMBERS: "is nan at step 0 of 51"}),
    "beyond all numbers": ("return 1 / (steps - 1 - step)", {NUMBERS: "is inf at step 50 of 51"}),
    "random": ("return random.random()", {"the same step, the same number": "changes Python's global random state"}),
    "in place": ("return step.add_(1)", {"the same step, the same number": "changes step in place"}),
    "other numbers where it is swept": (
        "return final if isinstance(final, float) else final + 1",
        {"swept = alone": "swept it is 1.1 at step 0, alone 0.1"},
    ),
}


@pytest.fixture
def checked(tmp_path):
    def run(code):
        file = tmp_path / "mine.py"
        file.write_text(FILE.format(code=code))
        return {each.property: each for each in check(file)}

    return run


def test_a_sound_schedule_passes_all(checked):
    found = checked(SOUND)
    assert {each.status for each in found.values()} == {"pass"}
    assert found[NUMBERS].reason == "from 0.1 to 1"
    assert {"trains", "all seeds as one batch", "compiled = eager"} <= found.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_schedule_fails_where_it_should(name, checked):
    code, wanted = BROKEN[name]
    found = checked(code)
    for what, reason in wanted.items():
        assert found[what].status == "fail"
        assert reason in found[what].reason


def test_a_schedule_that_asks_what_a_number_is_trains_each_setting_alone(checked):
    """That is slower, and no fault."""
    result = checked("return 1.0 if final > 0.5 else 0.5")["swept = alone"]
    assert result.status == "n/a"
    assert result.reason.startswith("in a sweep each setting trains alone: ")


OPTIMIZER = """
import torch
from ganbench import Optimizer, hookimpl

def start(theta):
    return ()

def update(theta, gradient, state, t, *, lr: float = 0.1):
    {code}
    return theta - rate * gradient, state

@hookimpl
def ganbench_optimizers():
    yield Optimizer("mine", start, update)
"""


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("rate = lr", "pass", ""),
        ("rate = lr if isinstance(lr, float) else 2 * lr", "fail", "where 'lr' is a tensor, as a schedule gives it"),
        ("rate = float(lr)", "n/a", "under a schedule its seeds train one by one: "),
    ],
)
def test_an_optimizer_is_tried_with_a_rate_as_a_schedule_gives_it(code, status, reason, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OPTIMIZER.format(code=code))
    (found,) = (each for each in check(file) if each.property == "scheduled = as it is")
    assert found.status == status
    assert reason in found.reason
