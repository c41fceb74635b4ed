"""A plugin after which the device can compute nothing more costs its own cell alone: a fresh process goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import lost_device
import pandas as pd
import pytest
import torch

from ganbench.core import fresh_process
from ganbench.core.fresh_process import Begun, DeviceLostError, beside
from ganbench.record import journal
from ganbench.record.attempt import MARK
from ganbench.record.events import CellEnded
from ganbench.record.folder import RunFolder
from ganbench.run.executors import local
from ganbench.train import device

SUITE = """
suite: lost
seeds: 2
budget: {{steps: 20, batch: 16}}
evaluate: {{every: 10, samples: 60}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
references: []
defaults: {{architecture: {{name: mlp, width: 4}}}}
variants: {{{variants}}}
metrics: [mmd]
"""
BEFORE, OUTSIDE, AFTER = "before: {loss: minimax}", "outside: {loss: outside}", "after: {loss: nonsaturating}"
#: The same with two settings each, which train as one batch; of one batch only one setting reads outside.
SWEPT = (
    "before: {loss: minimax, sweep: {optimizer.lr: [1.0e-3, 2.0e-3]}}",
    "swept: {loss: outside, sweep: {loss.far: [1.0e+6, 0.0]}}",
    "after: {loss: nonsaturating, sweep: {optimizer.lr: [1.0e-3, 2.0e-3]}}",
)
GOES_ON = (
    "the device can compute nothing more in this process (AcceleratorError: CUDA error: device-side assert triggered): "
    "a fresh process goes on with the cells that are left"
)
#: A task in a process of its own, which behaves as on a GPU; one after another.
EXECUTOR = '''"""Here."""
import subprocess, sys
from ganbench import Executor, hookimpl

class Here:
    room, alone, every = 1, True, 0.0

    def __init__(self):
        self.jobs = {{}}

    def submit(self, tasks):
        for task in tasks:
            process = subprocess.Popen([sys.executable, {worker!r}, *task.command[3:]])
            self.jobs[str(process.pid)] = process
        return {{task.number: str(process.pid)}}

    def states(self, jobs):
        return {{job: "running" for job in jobs if self.jobs[job].poll() is None}}

    def stop(self, jobs):
        for job in jobs:
            self.jobs[job].kill()
            self.jobs[job].wait()

@hookimpl
def ganbench_executors():
    yield Executor("here", Here)
'''
RUN = ("run", "suite.yaml", "--engine", "eager", "--device", "cpu", "--no-report")

posix = pytest.mark.skipif(sys.platform == "win32", reason="a process takes the place of another")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder that commands are given in, with the plugin: ``home(variants)`` writes the suite there."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "outside.py").write_text(lost_device.PLUGIN)
    monkeypatch.chdir(tmp_path)
    # It is of the process, and some tests run the plugin in this one.
    monkeypatch.delattr(sys, "device_is_lost", raising=False)

    def write(*variants):
        (tmp_path / "suite.yaml").write_text(SUITE.format(variants=", ".join(variants)))
        return tmp_path

    yield write
    vars(sys).pop("device_is_lost", None)


def ganbench(*words):
    """The exit code, standard output and standard error of the command, in a process that behaves as on a GPU."""
    command = [sys.executable, lost_device.__file__, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    return done.returncode, done.stdout, done.stderr


def the_run(folder):
    (path,) = (folder / "lost").glob("[!.]*/")
    return RunFolder(path)


def ended(run):
    return [event.cell for event in journal.read(run.journal) if isinstance(event, CellEnded)]


def statuses(run):
    seeds = pd.read_csv(run.seeds)
    return {variant: {*own["status"]} for variant, own in seeds.groupby("variant")}


@posix
def test_what_is_left_is_trained_in_fresh_processes_to_the_same_tables(home, gb):
    """The device is lost by a batch, which then trains apart, and by a setting of it: each costs one process."""
    folder = home(*SWEPT)
    code, out, err = ganbench(*RUN, "--json")
    assert code == 3, err
    assert err.splitlines().count(GOES_ON) == 2
    run = the_run(folder / "results")
    assert json.loads(out.splitlines()[-1])["run"] == str(run.path.relative_to(folder))
    done = {"oracle", "before lr=0.001", "before lr=0.002", "swept far=0", "after lr=0.001", "after lr=0.002"}
    assert statuses(run) == {**{row: {"done"} for row in done}, "swept far=1e+06": {"error"}}
    assert len(ended(run)) == len({*ended(run)}) == 7
    # One process after another, each in the place of the one before.
    processes = (folder / "processes").read_text().split()
    assert len(processes) == 3
    assert len({*processes}) == 1
    assert run.finished
    assert not (run.path / MARK).exists()
    # On a CPU the same errors leave the device as it is.
    assert gb(*RUN, "--out", "plain")[0] == 3
    plain = the_run(folder / "plain")
    for table in ("curves", "seeds", "table", "tries"):
        assert getattr(run, table).read_bytes() == getattr(plain, table).read_bytes()


@posix
def test_a_fresh_process_that_would_begin_another_run_says_what_has_changed(home):
    """It would lose the device again, and the next one, too."""
    folder = home(OUTSIDE, AFTER)
    plugin = folder / "plugins" / "outside.py"
    rewrites_itself = 'open(__file__, "a").write("# more\\n")\n        raise\n'
    plugin.write_text(plugin.read_text().replace("raise\n", rewrites_itself))
    code, _, err = ganbench(*RUN)
    assert code == 2, err
    run = the_run(folder / "results")
    assert err.splitlines()[-1] == f"{run.path}: a fresh process cannot go on with this run: outside.py has changed"
    assert len((folder / "processes").read_text().split()) == 2


@posix
def test_the_worker_of_a_task_goes_on_in_a_fresh_process_too(home, gb):
    """It is the same job: the task is not lost."""
    folder = home(BEFORE, OUTSIDE, AFTER)
    (folder / "plugins" / "here.py").write_text(EXECUTOR.format(worker=lost_device.__file__))
    code, out, err = gb(*RUN, "--executor", "here", "--tasks", "1")
    assert code == 3, err
    assert "was lost" not in out + err
    run = the_run(folder / "results")
    assert statuses(run) == {"oracle": {"done"}, "before": {"done"}, "outside": {"error"}, "after": {"done"}}
    processes = (folder / "processes").read_text().split()
    assert len(processes) == 2
    assert len({*processes}) == 1


def test_a_process_that_is_somebody_elses_is_told_to_begin_a_fresh_one(home, gb, monkeypatch):
    """As a notebook's, which calls the command or ``run``: what has ended is kept, and the command goes on."""
    folder = home(BEFORE, OUTSIDE, AFTER)
    with monkeypatch.context() as patch:
        patch.setattr(local, "failure", lambda on: "as told" if hasattr(sys, "device_is_lost") else "")
        code, _, err = gb(*RUN)
        assert code == 3
        assert err.splitlines()[-1] == str(DeviceLostError("as told", folder))
        run = the_run(folder / "results")
        assert len(ended(run)) == 3
        assert not run.finished
    assert gb(*RUN)[0] == 3
    assert the_run(folder / "results") == run
    assert len(ended(run)) == len({*ended(run)}) == 4


def test_a_device_that_never_worked_is_an_error_of_the_run_in_a_line(home, gb, monkeypatch):
    def broken(on):
        raise torch.AcceleratorError(lost_device.LOST)

    folder = home(BEFORE)
    monkeypatch.setattr(device, "_compute", broken)
    failure = device.failure
    monkeypatch.setattr(device, "failure", lambda on: failure(torch.device("cuda")))
    code, _, err = gb(*RUN)
    assert code == 2
    line = "device 'cpu': nothing can be computed on it: AcceleratorError: CUDA error: device-side assert triggered"
    assert err.splitlines() == [line]
    assert not (folder / "results").exists()


def test_a_process_knows_whether_it_was_begun_for_its_command(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "-X", "dev", "-m", "ganbench", "run", "mog"])
    monkeypatch.setattr(sys, "argv", ["ganbench/__main__.py", "run", "mog"])
    assert Begun.now() == Begun(["-X", "dev", "-m", "ganbench", "run", "mog"], os.getcwd(), dict(os.environ))
    monkeypatch.setattr(sys, "argv", ["ganbench", "run", "smoke"])
    assert Begun.now() is None
    monkeypatch.setattr(sys, "orig_argv", ["python"])
    assert Begun.now() is None


def test_where_no_process_takes_the_place_of_another_one_beside_gets_ctrl_c(monkeypatch):
    """The console sends it to both: this one waits for what the other makes of it."""
    waits = [KeyboardInterrupt, KeyboardInterrupt, 130]

    class Process:
        def __init__(self, command, env):
            assert (command, env) == (["python"], {"A": "b"})

        def wait(self):
            if isinstance(what := waits.pop(0), int):
                return what
            raise what

    monkeypatch.setattr(fresh_process.subprocess, "Popen", Process)
    assert beside(["python"], {"A": "b"}) == 130
