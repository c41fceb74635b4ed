"""A plugin is a guest while it is called, too: afterwards the process is as it was, and the next call finds it so."""

from __future__ import annotations

import os
import signal
import warnings

import numpy as np
import pytest
import torch

from ganbench.plugin.registry import Registry
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.run.evaluate import bind_metrics
from ganbench.suite.choice import Choice
from ganbench.train.data import build_dataset, draw

PLUGIN = '''"""Plugins that leave the process in another state, wherever a plugin's code is called."""
import os, signal, tempfile, warnings
import numpy as np
import torch
from ganbench import Architecture, Column, Dataset, Metric, Networks, NotApplicableError, Reference, hookimpl

def leave():
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.backends.mkldnn.enabled = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    os.chdir(tempfile.gettempdir())
    os.environ["LEFT"] = "1"
    np.seterr(all="raise")
    warnings.simplefilter("error")
    signal.signal(signal.SIGINT, signal.SIG_IGN)

def measure(samples, *, way: str = ""):
    leave()
    if way:
        raise {"fails": ArithmeticError, "declines": NotApplicableError}[way]("no answer")
    return {"mean": float(samples.mean())}

def build(shape):
    networks = Networks(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1), (2,))
    leave()
    return networks

class Plane:
    shape = (2,)
    def sample(self, n, generator):
        drawn = torch.randn(n, 2, generator=generator)
        leave()
        return drawn
    def log_density(self, x):
        leave()
        return -(x ** 2).sum(1) / 2 - np.log(2 * np.pi)

def make():
    leave()
    return Plane()

def fit(training):
    leave()
    return Plane()

@hookimpl
def ganbench_metrics():
    yield Metric("leaves", measure, (Column("mean", "the mean"),))

@hookimpl
def ganbench_architectures():
    yield Architecture("leaves", build)

@hookimpl
def ganbench_datasets():
    yield Dataset("leaves", make)

@hookimpl
def ganbench_references():
    yield Reference("leaves", fit)
'''
SUITE = """
suite: t
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {r: leaves}
references: [oracle, leaves]
defaults: {architecture: leaves}
variants: {a: {loss: nonsaturating}, b: {loss: minimax}}
metrics: [leaves, jsd]
"""


def state() -> tuple:
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.backends.mkldnn.enabled,
        torch.are_deterministic_algorithms_enabled(),
        os.getcwd(),
        dict(os.environ),
        np.geterr(),
        [*warnings.filters],
        signal.getsignal(signal.SIGINT),
    )


@pytest.mark.parametrize("way", ["", "fails", "declines"])
def test_a_metric_leaves_the_process_as_it_was(way, plugins):
    choice = Choice.of(Registry.load(extra=plugins).get("metric", "leaves"), {"way": way})
    before = state()
    bind_metrics([choice]).of_outcomes([{"samples": torch.zeros(20, 2), "final": True}] * 2)
    assert state() == before


def test_data_that_is_built_and_drawn_leaves_the_process_as_it_was(plugins):
    choice = Choice.of(Registry.load(extra=plugins).get("dataset", "leaves"), {})
    before = state()
    draw(build_dataset(choice), 50, torch.Generator())
    assert state() == before


def test_a_run_of_such_plugins_alone_ends_well(plugins, run_text, one_thread):
    """Each cell after the first would be an error: parameters of float64, a run's folder that is not found."""
    before = state()
    result = run_text(SUITE, engine="eager")
    record = Record.read(result.folder)
    ended = {cell.variant: cell.outcome(seed) for cell in record.cells for seed in (0, 1)}
    assert {one.status for one in ended.values()} == {Status.DONE}, ended
    assert result.complete
    assert state() == before
