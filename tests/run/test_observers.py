"""Observers of a suite: what they are told, that they change nothing, and that their failures fail no run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from noted import Noted

from ganbench.core import rng
from ganbench.plugin.observed import ObservedRow, ObserverMethods, tracked
from ganbench.plugin.registry import Registry
from ganbench.record.events import Evaluated
from ganbench.record.picture_arrays import DamagedPictureError
from ganbench.run import observers as told_by
from ganbench.run.observer import CellNoted
from ganbench.run.run import run
from ganbench.suite.load import load
from ganbench.train.engine import speed
from ganbench.train.trainer import Trainer

SUITE = """
suite: told
seeds: 6
budget: {steps: 4, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {ring8: {name: ring, modes: 2, std: 0.3}}
references: []
defaults: {architecture: {width: 4, depth: 1}, penalty: {name: r1, weight: 1}}
variants: {a: {loss: nonsaturating, optimizer: {lr: 1e-3}}}
metrics: [modes, throughput]
"""
#: It keeps all that it is told, draws random numbers, changes what is of everybody, and prints.
PLUGIN = '''"""For a test."""
import json, os, random
import torch
from ganbench import Observer, hookimpl

class Keeps:
    def __init__(self, path):
        self.path = path
        self.keep("build")
    def keep(self, event, **told):
        random.random(), torch.rand(3), torch.set_num_threads(3)
        os.environ["TOLD"] = event
        print("printed by an observer")
        with self.path.open("a") as file:
            print(json.dumps({"event": event, **told}), file=file)
    def cell_started(self, cell):
        self.keep("cell_started", cell=cell.name, parameters=dict(cell.parameters))
    def evaluated(self, cell, step, rows, summary):
        values = [row.values["modes_covered"] for row in rows]
        self.keep("evaluated", cell=cell.name, step=step, values=values, summary=dict(summary))
    def pictured(self, cell, step, image):
        self.keep("pictured", cell=cell.name, step=step, shape=image.shape)
    def cell_ended(self, cell, rows, summary):
        self.keep("cell_ended", cell=cell.name, statuses=[row.status for row in rows])
    def run_ended(self, table):
        self.keep("run_ended", modes=list(table.modes_covered))
    def closed(self, finished):
        self.keep("closed", finished=finished)

def keeps(run, *, file: str = "kept.jsonl"):
    return Keeps(run / file)

class Fails:
    def evaluated(self):
        raise ConnectionError("the server is gone")

def fails():
    return Fails()

def unable():
    raise OSError("no such server")

class Misspelt:
    def cell_end(self, cell): ...

class Asks:
    def evaluated(self, cell, loss): ...

@hookimpl
def ganbench_observers():
    yield Observer("keeps", keeps)
    yield Observer("fails", fails)
    yield Observer("unable", unable)
    yield Observer("misspelt", Misspelt)
    yield Observer("asks", Asks)
    yield Observer("needy", fails, needs={"no_such_package": "ganbench[such]"})
'''


@pytest.fixture(scope="module")
def told(tmp_path_factory, cpu):
    """Runs the suite with observers, in a folder of its own: the run's folder, what was kept, the lines noted."""
    home = tmp_path_factory.mktemp("told")
    (home / "plugins").mkdir()
    (home / "plugins" / "keeps.py").write_text(PLUGIN)
    registry = Registry.load([home / "plugins"])

    def train(observers, out=None, watching=None):
        watching = watching or Noted()
        (home / "suite.yaml").write_text(SUITE + f"observers: {observers}\n")
        suite = load(home / "suite.yaml", registry)
        out, states = out or tmp_path_factory.mktemp("out"), rng.global_states()
        folder = run(suite, out=out, device=cpu, engine="eager", command=[], observer=watching).folder
        # Whatever an observer changes is put back.
        assert rng.drawn_since(states) == ()
        assert "TOLD" not in os.environ
        kept = folder.path / "kept.jsonl"
        lines = kept.read_text().splitlines() if kept.exists() else ()
        return folder, [json.loads(line) for line in lines], watching.lines

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "TIMED_SECONDS", 0.01)
        yield train


@pytest.fixture(scope="module")
def plain(told):
    return told([])


@pytest.fixture(scope="module")
def kept(told):
    """A run with an observer that works, two that fail, and two that cannot be called."""
    return told(["keeps", "fails", "unable", "misspelt", "asks"])


def test_an_observer_sees_each_event_in_order(kept):
    _, events, _ = kept
    of_evaluation = ["pictured", "evaluated"]
    wanted = [*["cell_started", *of_evaluation, "cell_ended"], "cell_started", *of_evaluation, *of_evaluation]
    assert [one["event"] for one in events] == ["build", *wanted, "cell_ended", "run_ended", "closed"]
    assert [one["step"] for one in events if one["event"] == "evaluated"] == [0, 2, 4]
    assert events[-1]["finished"] is True
    assert all(one["shape"][2] == 3 for one in events if one["event"] == "pictured")


def test_it_is_told_of_a_cell_what_a_suite_says_and_of_its_seeds_what_the_table_says(kept):
    folder, events, _ = kept
    started = next(one for one in events if one.get("cell") == "ring8/a")
    told = {"loss": "nonsaturating", "optimizer.lr": 1e-3, "penalty.r1.weight": 1.0, "budget.steps": 4}
    assert told.items() <= started["parameters"].items()
    assert started["parameters"]["dataset.modes"] == 2
    last = [one for one in events if one["event"] == "evaluated"][-1]
    assert len(last["values"]) == 6
    row = pd.read_csv(folder.table).query("variant == 'a'").iloc[0]
    assert last["summary"]["modes_covered"] == [row.modes_covered, row.modes_covered_low, row.modes_covered_high]
    assert last["summary"]["diverged"] == [0, None, None]
    assert events[-2]["modes"][-1] == row.modes_covered
    assert "model_steps_per_second" in last["summary"]


def test_tables_and_identity_are_the_same_with_observers_and_without(plain, kept):
    for name in ("seeds", "curves", "differences"):
        one, other = (getattr(folder, name).read_text() for folder, *_ in (plain, kept))
        assert [line.split(",")[:9] for line in one.splitlines()] == [
            line.split(",")[:9] for line in other.splitlines()
        ]
    one, other = (folder.describe() for folder, *_ in (plain, kept))
    assert one["identity"] == other["identity"]
    assert "observers" not in kept[0].suite.read_text()


def test_what_a_tracker_gets_of_an_evaluation_is_a_number_by_each_name():
    rows = [ObservedRow(3, "done", {"jsd": 0.2, "all_modes": True, "way": "density", "kl": None})]
    summary = {"jsd": (0.2, 0.1, 0.3), "diverged": (0, None, None)}
    over_seeds = {"jsd": 0.2, "jsd/low": 0.1, "jsd/high": 0.3, "diverged": 0}
    assert tracked(summary) == over_seeds
    assert tracked(summary, rows) == over_seeds | {"jsd/seed 3": 0.2, "all_modes/seed 3": 1.0}


def test_one_that_fails_is_said_once_and_counted(kept):
    _, _, lines = kept
    assert [line.partition(" (")[0] for line in lines] == [
        "observer 'unable' could not start: OSError: no such server",
        "observer 'misspelt' could not start: ValueError: Misspelt has the method cell_end, which is never called, "
        "did you mean 'cell_ended'?; the run goes on without it",
        "observer 'asks' could not start: ValueError: evaluated() names 'loss', which is not given to it",
        "observer 'fails' failed at evaluated: ConnectionError: the server is gone",
        "observer 'fails' failed 3 times in all",
    ]


def test_a_missing_package_is_a_line_before_the_training(told, tmp_path):
    with pytest.raises(ValueError, match=r"^observer 'needy' needs the package no_such_package, which is not inst"):
        told(["needy"], out=tmp_path)
    assert [*tmp_path.iterdir()] == []


class Hears(Noted):
    def tell(self, event):
        if isinstance(event, CellNoted):
            self.lines.append(event.text)


@pytest.fixture(scope="module")
def looked_into(told):
    """A run whose pictures cannot be read: what was kept, the lines, and each call, with whether the speed was timed.

    They may be gone from the disk a moment after they were written.
    """
    measured, call = Trainer.speed, ObserverMethods.call
    timing, during = [], []

    def gone(*_):
        raise DamagedPictureError("is not there")

    def timed(self):
        timing.append("on")
        try:
            return measured(self)
        finally:
            timing.pop()

    def call_seen(self, event, given):
        during.append((event, bool(timing)))
        call(self, event, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(told_by, "read_picture", gone)
        patch.setattr(Trainer, "speed", timed)
        patch.setattr(ObserverMethods, "call", call_seen)
        _, events, lines = told(["keeps"], watching=Hears())
    return events, lines, during


def test_no_observer_is_called_while_the_speed_is_measured(looked_into):
    """So that what a slow one costs is not in the steps a second."""
    *_, during = looked_into
    assert ("evaluated", False) in during
    assert not any(at for _, at in during)


def test_a_picture_that_cannot_be_read_is_said_and_stops_nothing(looked_into):
    events, lines, _ = looked_into
    assert [one["step"] for one in events if one["event"] == "evaluated"] == [0, 2, 4]
    assert lines == [f"observers get no picture of step {step}: it is not there" for step in (0, 2, 4)]


class Stops(Noted):
    """Ends the run after an evaluation, as a terminal that is gone."""

    def tell(self, event):
        if isinstance(event, Evaluated) and event.step == 2:
            raise OSError("gone")


def test_a_run_that_goes_on_sends_nothing_twice(told, tmp_path):
    with pytest.raises(OSError, match="gone"):
        told(["keeps"], out=tmp_path, watching=Stops())
    _, events, lines = told(["keeps"], out=tmp_path)
    assert [one["step"] for one in events if one["event"] == "evaluated"] == [0, 2, 4]
    assert [one["step"] for one in events if one["event"] == "pictured"] == [0, 2, 4]
    assert [one["finished"] for one in events if one["event"] == "closed"] == [False, True]
    assert "2 evaluations of an earlier attempt: observers are not sent them again" in lines


def test_observers_of_a_suite_and_of_the_command_line(gb, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "keeps.py").write_text(PLUGIN)
    for observers, at, message in (
        ("[no-such]", "9:13 observers[0]: ", "unknown observer 'no-such'"),
        ("[keeps, keeps]", "9:20 observers[1]: ", "observer 'keeps' is there already"),
        (
            "[{name: keeps, fle: x}]",
            "9:27 observers[0].fle: ",
            "unknown parameter 'fle' of observer 'keeps', did you mean",
        ),
        ("keeps", "9:12 observers: ", "must be a list of observers, not 'keeps': write [keeps]"),
    ):
        text = "suite: told\nseeds: 2\nbudget: {steps: 2, batch: 8}\nevaluate: {samples: 60}\n"
        text += "datasets: {r: ring}\nreferences: []\nmetrics: [modes]\n"
        text += f"variants: {{a: {{loss: minimax}}}}\nobservers: {observers}\n"
        Path("suite.yaml").write_text(text)
        code, _, err = gb("plan", "suite.yaml")
        assert (code, err.partition(message)[0]) == (2, f"suite.yaml:{at}")
    Path("suite.yaml").write_text(text.replace("observers: keeps", "observers: [{name: keeps, file: own.txt}]"))
    code, _, err = gb("run", "suite.yaml", "--observer", "keps")
    assert (code, err) == (2, "--observer: unknown observer 'keps', did you mean 'keeps'?\n")
    code, _, err = gb("run", "suite.yaml", "--observer", "needy")
    assert (code, err[:41]) == (2, "observer 'needy' needs the package no_suc")
    code, out, _ = gb("run", "suite.yaml", "--observer", "keeps", "--observer", "fails")
    assert code == 0
    assert "observer 'fails' failed 3 times in all" in out
    assert "printed by an observer" not in out
    (kept,) = Path("results").glob("told/*/own.txt")
    assert kept.read_text().count("cell_ended") == 2
    # What trackers are called elsewhere.
    Path("suite.yaml").write_text(text.replace("observers: keeps", "logger: wandb"))
    code, _, err = gb("run", "suite.yaml")
    assert (code, "unknown key 'logger': write observers: [" in err) == (2, True)
