"""A sign of life while a plugin's code is waited for."""

from __future__ import annotations

import pytest

from ganbench.core import patience
from ganbench.core.patience import named_when_slow
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse

PLUGIN = """
import time, torch
from ganbench import Dataset, hookimpl

class Normal:
    shape = (2,)
    def sample(self, n, generator):
        return torch.randn(n, 2, generator=generator)

def build():
    time.sleep(0.3)
    return Normal()

@hookimpl
def ganbench_datasets():
    yield Dataset("slow", build)
"""
SUITE = "suite: t\ndatasets: {r: slow}\nvariants: {a: {loss: minimax}}\n"


def test_what_is_quick_is_not_named(capfd):
    with named_when_slow("doing nothing"):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["mine.py", "a\x1b[31m\nb.py"])
def test_what_takes_long_is_named_in_one_line(monkeypatch, capfd, name):
    monkeypatch.setattr(patience, "PATIENCE", 0.0)
    with named_when_slow(f"loading {name}") as _:
        while not (said := capfd.readouterr().err):
            pass
    assert said.startswith("still loading ")
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_data_that_is_built_for_long_is_named(plugins, monkeypatch, capfd):
    registry = Registry.load(extra=plugins)
    monkeypatch.setattr(patience, "PATIENCE", 0.05)
    parse(SUITE, registry)
    assert "still building the dataset 'slow' ...\n" in capfd.readouterr().err
