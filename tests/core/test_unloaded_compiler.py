"""Torch's compiler is not loaded where nothing is compiled; once it is loaded, torch's own functions are called."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ganbench.core import unloaded_compiler
from ganbench.core.unloaded_compiler import leave_unloaded, unloaded

SUITE = """
suite: small
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {samples: 50}
datasets: {ring: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 8, depth: 1}}
variants:
  one: {loss: {name: wgan-gp, penalty: 0.1}}
references: []
metrics: [modes, throughput, cost]
"""
#: Runs a command, and prints which of some modules were loaded at its first step, or at its end.
PROGRAM = """
import sys
from ganbench.cli import main
from ganbench.train.trainer import Trainer

advance, slow, told = Trainer.advance, {slow}, []

def noted(*given):
    if not told:
        told.append([name for name in slow if name in sys.modules])
    return advance(*given)

Trainer.advance = noted
sys.argv = ["ganbench", *sys.argv[1:]]
try:
    main()
finally:
    loaded = told[0] if told else [name for name in slow if name in sys.modules]
    print("loaded", loaded, file=sys.stderr)
"""


def _loaded(*command: str | Path) -> str:
    program = PROGRAM.format(slow=["torch._dynamo", "torch._inductor", "sympy"])
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, command)], capture_output=True, text=True, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.fixture
def suite(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    return file


def test_a_run_that_trains_eagerly_begins_without_the_compiler(suite, tmp_path):
    assert _loaded("run", suite, "--engine", "eager", "--no-report", "--out", tmp_path / "out") == "loaded []"


def test_a_plan_needs_no_compiler_even_of_cells_that_will_be_compiled(suite):
    assert _loaded("plan", suite, "--engine", "compiled") == "loaded []"


def _cubed(x: torch.Tensor) -> torch.Tensor:
    return (torch.func.grad(lambda y: (y**3).sum())(x) * x).sum()


def test_a_gradient_is_the_same_without_the_compiler(monkeypatch):
    import torch._dynamo

    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    batched = torch.func.vmap(torch.func.grad_and_value(_cubed))
    assert "torch._dynamo" in sys.modules
    known = batched(x)
    monkeypatch.delitem(sys.modules, "torch._dynamo")
    assert all(map(torch.equal, batched(x), known))


@pytest.mark.parametrize("loaded", [True, False])
def test_the_switch_is_used_where_there_is_something_to_switch_off(loaded, monkeypatch):
    import torch._dynamo

    calls = []

    def switch():
        calls.append(None)
        return nullcontext()

    monkeypatch.setattr(torch._dynamo.compiled_autograd, "_disable", switch)
    if not loaded:
        monkeypatch.delitem(sys.modules, "torch._dynamo")
    torch.func.grad(lambda x: (x**2).sum())(torch.ones(2))
    assert len(calls) == loaded


def test_a_mode_sees_the_same_operations_without_the_compiler(monkeypatch):
    import torch._dynamo

    @unloaded
    class Names(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    found = []
    for _ in range(2):
        seen = []
        with Names():
            (torch.ones(3) * 2).sum()
        found.append(seen)
        monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    assert found[0] == found[1] == ["aten.ones.default", "aten.mul.Tensor", "aten.sum.default"]


def test_a_version_of_torch_without_the_switch_is_left_as_it_is(monkeypatch):
    def gradient(outputs):
        return outputs

    monkeypatch.setattr(unloaded_compiler.eager_transforms, "_autograd_grad", gradient)
    leave_unloaded()
    assert unloaded_compiler.eager_transforms._autograd_grad is gradient
    monkeypatch.delattr(unloaded_compiler.eager_transforms, "_autograd_grad")
    leave_unloaded()
