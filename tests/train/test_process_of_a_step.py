"""What the code of a step changes for everybody is put back, and said or refused: later cells must not inherit it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.train.trainer import Trainer

PLUGIN = """'''A test's plugin.'''
import os, warnings
import numpy as np
import torch
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

def discriminator(d_real, d_fake, step):
    {line}
    return softplus(-d_real).mean() + softplus(d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, lambda d_fake: softplus(-d_fake).mean())
"""
REFUSED = {
    "a type": (
        "torch.set_default_dtype(torch.float64)",
        "a step sets torch's default dtype for everybody: give dtype=",
    ),
    "gradients": ("torch.set_grad_enabled(False)", "a step turns gradients off for everybody: write 'with torch.no_"),
    "a folder": ("os.chdir('/')", "a step changes the working folder of everybody: open its files as"),
}
SAID = {
    "numpy's errors": ("np.seterr(all='ignore')", "seterr"),
    "warnings": ("warnings.simplefilter('ignore')", "simplefilter"),
    "precision": ("torch.set_float32_matmul_precision('medium')", "set_float32_matmul_precision"),
    "a flag": ("torch.backends.cudnn.benchmark = True", "benchmark"),
}


@pytest.fixture
def trainer(foreign, cell, cpu):
    def build(line, engine="eager"):
        one = cell("{loss: foreign}", seeds=1, registry=foreign(PLUGIN.format(line=line)))
        return Trainer([one], cpu, engine)

    return build


def settings():
    flags = torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision(), torch.get_default_dtype()
    return np.geterr(), [*warnings.filters], torch.is_grad_enabled(), *flags


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_step_may_count_on_is_refused_with_the_cure_and_put_back(what, trainer):
    line, said = REFUSED[what]
    before = settings()
    with pytest.raises(PluginError) as raised:
        trainer(line)
    assert str(raised.value).startswith(said)
    assert str(raised.value).endswith("(foreign.py:9)")
    assert settings() == before


@pytest.mark.parametrize("what", SAID)
def test_all_else_is_put_back_and_said(what, trainer):
    line, name = SAID[what]
    before = settings()
    it = trainer(line)
    assert f"a step sets {name} (foreign.py:9) for everybody: it is put back after training, leave it out" in it.note
    assert settings() == before
    it.advance(it.start, 0, 2)
    assert settings() == before


def test_a_step_that_does_so_late_ends_its_cell_and_no_other(trainer):
    it = trainer("if step == 20: torch.set_default_dtype(torch.float64)")
    before = settings()
    state = it.advance(it.start, 0, 20)
    with pytest.raises(PluginError, match=r"^a step sets torch's default dtype for everybody"):
        it.advance(state, 20, 30)
    assert settings() == before
