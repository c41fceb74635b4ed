"""Data that takes long to build is built once, and that is said."""

from __future__ import annotations

import pytest

from ganbench.plugin.registry import Registry
from ganbench.suite import build_check
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError

PLUGIN = """
import numpy as np
from ganbench import Dataset, hookimpl
from ganbench.data.finite_set import Finite

def build():
    points = np.random.default_rng().normal(size=(200, 2)).astype("float32")
    return Finite(points[:100], points[100:])

@hookimpl
def ganbench_datasets():
    yield Dataset("another", build)
"""
SUITE = "suite: t\ndatasets: {mine: another}\nvariants: {a: {loss: minimax}}\n"


def test_that_it_was_not_compared_is_said(plugins, monkeypatch, capfd):
    registry = Registry.load(extra=plugins)
    with pytest.raises(SuiteError, match="dataset 'another' is another one each time it is built"):
        parse(SUITE, registry)
    assert capfd.readouterr().err == ""
    monkeypatch.setattr(build_check, "QUICK", 0.0)
    parse(SUITE, registry)
    assert capfd.readouterr().err == (
        "mine: takes more than 0 s to build, so it is built once: whether it is the same each time was not looked at\n"
    )
