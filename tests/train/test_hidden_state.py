"""What plugins could remember something in: the variables of the very modules that their code is of."""

from __future__ import annotations

import functools

import pytest

from ganbench.plugin.types import Loss
from ganbench.train.hidden_state import HiddenState

LOSS = """
from ganbench import Loss, hookimpl
{head}

def discriminator(d_real, d_fake):
    {line}
    return d_real

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, discriminator)
"""
#: Where a loss may count, and how.
COUNTERS = {
    "its own module": ("N = [0]", "N[0] += 1"),
    "a class": ("class S:\n    n = 0\n    def count(self):\n        S.n += 1", "S().count()"),
    "a neighbour": ("import counting_helper", "counting_helper.count()"),
    "a neighbour's class": ("from counting_helper import Counter", "Counter.count()"),
    "a neighbour whose variable has the name of its own": ("import counting_helper\nN = 0", "counting_helper.count()"),
    "its own variable, of the name of a neighbour's": ("import counting_helper\nN = [0]", "N[0] += 1"),
}
HELPER = """
N = 0

def count():
    global N
    N += 1

class Counter:
    n = 0

    @classmethod
    def count(cls):
        cls.n += 1
"""


@pytest.mark.parametrize("where", COUNTERS)
def test_of_a_file_that_was_loaded_twice_each_module_is_watched(where, foreign, tmp_path):
    """As with two suites beside one folder of plugins in one process: the second has the name in sys.modules."""
    (tmp_path / "counting_helper.py").write_text(HELPER)
    head, line = COUNTERS[where]
    first = foreign(LOSS.format(head=head, line=line)).value(Loss, "foreign").discriminator
    (tmp_path / "counting_helper.py").write_text(HELPER + "# edited\n")
    second = foreign(LOSS.format(head=head, line=line)).value(Loss, "foreign").discriminator
    for loss in (first, second):
        watched = HiddenState([loss], {})
        before = watched.look()
        assert watched.changed(before) is None
        loss(1, 2)
        assert watched.changed(before) is not None


def test_a_decorated_function_is_of_its_own_module(foreign):
    head = "import torch\nN = [0]"
    code = LOSS.format(head=head, line="N[0] += 1").replace("def disc", "@torch.no_grad()\ndef disc")
    loss = foreign(code).value(Loss, "foreign").discriminator
    foreign(code)
    watched = HiddenState([functools.partial(loss)], {})
    before = watched.look()
    loss(1, 2)
    assert watched.changed(before) is not None
