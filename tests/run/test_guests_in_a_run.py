"""Whatever a plugin raises or does while cells are trained: they end with a line, and the other cells are measured."""

from __future__ import annotations

import concurrent.futures
import ctypes
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys

import pytest
import torch

from ganbench.core.errors import PluginError, raise_if_stopped
from ganbench.core.exits import ExitRefusedError, exits_refused
from ganbench.plugin.registry import Registry
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.run.evaluate import bind_metrics
from ganbench.suite.choice import Choice
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.train.data import build_dataset, draw

PLUGIN = '''"""Plugins that end the program, each in its own way, wherever a plugin's code is called."""
import asyncio, ctypes, os, posix, sys
import torch
from torch.nn.functional import softplus
from ganbench import Architecture, Column, Dataset, Loss, Metric, Networks, Reference, hookimpl

class OwnError(BaseException):
    def __str__(self):
        raise ValueError

def end(way):
    match way:
        case "cancelled": raise asyncio.CancelledError
        case "generator": raise GeneratorExit
        case "keyboard": raise KeyboardInterrupt
        case "own": raise OwnError
        case "exit": os._exit(0)
        case "posix": posix._exit(0)
        case "c": ctypes.CDLL(None)._exit(0)
        case "python": ctypes.pythonapi.Py_Exit(0)
        case "exec": os.execv(sys.executable, [sys.executable, "-c", ""])

def ends(d_real, d_fake, *, way: str):
    end(way)
    return plain(d_real, d_fake)

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

def build(shape, *, way: str, late: bool = False):
    if torch.rand(1).item() >= 0 and not late:
        end(way)
    class G(torch.nn.Linear):
        def forward(self, z):
            end(way)
            return super().forward(z)
    return Networks(G(2, 2), torch.nn.Linear(2, 1), (2,))

class Ring:
    shape = (2,)
    def __init__(self, way): self.way = way
    def sample(self, n, generator):
        if n > 2000: end(self.way)
        return torch.randn(n, 2, generator=generator)

@hookimpl
def ganbench_losses():
    yield Loss("plain", plain, generator)
    yield Loss("ends", ends, generator)

@hookimpl
def ganbench_architectures():
    yield Architecture("ends", build)

@hookimpl
def ganbench_datasets():
    yield Dataset("ends", _ring)

def _ring(*, way: str):
    return Ring(way)

@hookimpl
def ganbench_references():
    yield Reference("ends", fit)

def fit(training, *, way: str):
    end(way)

@hookimpl
def ganbench_metrics():
    yield Metric("ends", measure, (Column("nothing", "never"),))

def measure(samples, *, way: str):
    end(way)
'''

REFUSED = "would end the whole program, and a plugin must not: raise an error instead"
#: How each way of ending the program is told.
WAYS = {
    "cancelled": "CancelledError",
    "generator": "GeneratorExit",
    "keyboard": "KeyboardInterrupt",
    "own": "OwnError",
    "exit": f"ExitRefusedError: os._exit {REFUSED}",
    "posix": f"ExitRefusedError: os._exit {REFUSED}",
    "c": f"ExitRefusedError: C's _exit {REFUSED}",
    "python": f"ExitRefusedError: C's Py_Exit {REFUSED}",
    "exec": f"ExitRefusedError: os.execv {REFUSED}",
}
SUITE = """
suite: t
seeds: 1
budget: {steps: 4, batch: 8}
evaluate: {every: 4, samples: 60}
datasets: {r: {name: ring, modes: 4, std: 0.1}}
references: REFERENCES
defaults: {architecture: {name: mlp, width: 4}, loss: plain}
variants: VARIANTS
metrics: METRICS
"""


def suite(variants: dict, references: list, metrics: str) -> str:
    text = SUITE.replace("REFERENCES", json.dumps(references)).replace("VARIANTS", json.dumps(variants))
    return text.replace("METRICS", metrics)


def test_a_plugin_that_ends_the_program_ends_its_cell_alone(run_text, one_thread):
    losses = {f"loss-{way}": {"loss": {"name": "ends", "way": way}} for way in WAYS}
    late = {f"net-{way}": {"architecture": {"name": "ends", "way": way, "late": True}} for way in WAYS}
    text = suite({**losses, **late, "last": {}}, [{"name": "ends", "way": "own"}], "[modes]")
    result = run_text(text, engine="eager")
    record = Record.read(result.folder)
    told = {cell.variant: cell.outcome(0).message for cell in record.cells if cell.outcome(0).status is Status.ERROR}
    for way, line in WAYS.items():
        assert told.pop(f"loss-{way}").startswith(f"{line} (foreign.py:")
        assert f": {line} (foreign.py:" in told.pop(f"net-{way}")
    assert told.pop("ends").startswith("reference ends: OwnError (foreign.py:")
    assert told == {}
    assert record.finished
    assert not result.complete


@pytest.mark.parametrize("way", WAYS)
def test_a_metric_or_a_data_set_that_ends_the_program_is_named(way, plugins):
    registry = Registry.load(extra=plugins)
    choices = [Choice.of(registry.get(kind, "ends"), {"way": way}) for kind in ("metric", "dataset")]
    with exits_refused(), pytest.raises(PluginError) as caught:
        draw(build_dataset(choices[1]), 3000, torch.Generator())
    assert str(caught.value).startswith(f"sample(3000): {WAYS[way]} (foreign.py:")
    with exits_refused():
        (failed,) = bind_metrics(choices[:1]).of_outcomes([{"samples": torch.zeros(20, 2), "final": True}])
    assert str(failed).startswith(f"metric ends: {WAYS[way]} (foreign.py:")


def test_a_mistake_of_any_class_while_a_suite_is_read_has_its_place(plugins):
    variants = {f"net-{way}": {"architecture": {"name": "ends", "way": way}} for way in ("own", "keyboard")}
    with pytest.raises(SuiteError) as caught:
        parse(suite(variants, [], "[modes]"), Registry.load(extra=plugins))
    said = [line.rpartition(": ")[2] for line in str(caught.value).splitlines()]
    for line, name in zip(said, ("OwnError", "KeyboardInterrupt"), strict=True):
        assert re.fullmatch(rf"{name} \(foreign\.py:\d+\)", line)


def test_a_signal_is_no_fault_of_the_code_that_it_comes_in():
    def handler(number, frame):
        raise TimeoutError

    def code(number):
        signal.raise_signal(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        for number, kind in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TimeoutError)):
            with pytest.raises(kind) as caught:
                code(number)
            with pytest.raises(kind):
                raise_if_stopped(caught.value)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_child_process_and_its_owner_may_exit():
    with exits_refused():
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            assert pool.submit(abs, -3).result() == 3
        with pytest.raises(ExitRefusedError):
            os._exit(0)


def test_what_looks_up_c_functions_otherwise_may(monkeypatch):
    with exits_refused():
        assert ctypes.CDLL(None).getpid() == os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: 1)  # as in a child
        assert ctypes.CDLL(None)._exit
    monkeypatch.undo()
    assert ctypes.CDLL(None)._exit


@pytest.mark.parametrize("way", ["os.close(1)", "sys.__stdout__.close()", "os.dup2(2, 1)"])
def test_a_stream_that_a_plugin_closes_is_there_again_before_a_file_can_take_its_place(way, tmp_path):
    code = (
        "import os, sys\nfrom ganbench.core import streams\n"
        f"with streams.kept():\n    print('one', flush=True)\n    {way}\n    mended = streams.mend()\n"
        "    file = open('journal', 'w')\n    print('two', mended, file.fileno() > 2)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("one\ntwo True True\n", "")
