"""ganbench.report.plan: what is said of a sweep, without training or timing anything."""

from __future__ import annotations

import io
import os
import re
import time
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from ganbench.plugin.registry import Registry
from ganbench.report import plan
from ganbench.run.estimate import Estimator
from ganbench.suite.load import parse

SUITE = "suite: s\ndatasets: {r: ring}\nreferences: []\nvariants: {a: {loss: minimax}, b: {loss: wgan-gp}}\n"


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ("", "3 cells, about"),
        ("sweep: {optimizer.lr: [1e-4, 1e-3, 1e-2]}\n", "7 cells (2 variants x 3 settings), about"),
    ],
)
def test_number_of_settings_is_said(sweep, said, monkeypatch):
    each = SimpleNamespace(seconds=1.0, compiling=0.0, engine="eager", note="")
    monkeypatch.setattr(Estimator, "estimate", lambda *args: each)
    registry = Registry.load()
    console = Console(file=io.StringIO(), width=120)
    plan.show_plan(parse(SUITE + sweep, registry), torch.device("cpu"), "eager", console)
    assert said in console.file.getvalue()


def test_a_busy_machine_is_said_with_a_range(monkeypatch):
    """Not as if the work itself took so long: what passed while it did not compute was other programs'."""

    def slept(*args, **more):
        time.sleep(0.02)
        return SimpleNamespace(seconds=60.0, compiling=0.0, engine="eager", note="")

    monkeypatch.setattr(Estimator, "estimate", slept)
    monkeypatch.setattr(os, "getloadavg", lambda: (7.25, 5.0, 1.0), raising=False)
    console = Console(file=io.StringIO(), width=120)
    plan.show_plan(parse(SUITE, Registry.load()), torch.device("cpu"), "eager", console)
    said = console.file.getvalue().splitlines()[-1]
    assert re.fullmatch(
        r"3 cells, about 3 min 0 s to .* on cpu: other programs are using this machine now \(load 7.2 on \d+ cores\)",
        said,
    )
    assert " h " in said
