"""Killed anywhere, as often as one likes, a run ends with the tables that it would have had."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import sys
import time

import pandas as pd
import pytest
import torch

from ganbench.cli import main
from ganbench.plugin.registry import Registry
from ganbench.record.folder import RunFolder
from ganbench.record.record import Record
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import parse
from ganbench.train.engine import speed

#: The shipped smoke suite, smaller, so that a process does not live long beside the seconds that its imports take.
SUITE = """
suite: small-smoke
seeds: 2
budget: {steps: 80, batch: 32}
evaluate: {every: 10, samples: 1000}
datasets:
  ring8: {name: ring, modes: 8, radius: 2.0, std: 0.1}
defaults:
  architecture: {name: mlp, width: 16, depth: 1}
  optimizer: {name: adam, lr: 2e-3, betas: [0.5, 0.999]}
variants:
  nonsaturating: {loss: nonsaturating}
  wgan-gp: {loss: {name: wgan-gp, penalty: 0.1}, update: {name: alternating, discriminator_steps: 2}}
metrics: [jsd, modes, throughput]
references: [memoriser, em]
"""
KILLS = 20
PATIENCE = 600
#: What a run imports, here or there: a process that is started anew would take longer for it than for the run.
IMPORTED = ["ganbench.cli.run", "ganbench.run.executors.local", "ganbench.report.live", "ganbench.report.table"]
IMPORTED += ["torch._dynamo", "sklearn.mixture", "sklearn.linear_model"]


def forked():
    """Processes that are forked from one that has imported all that a run needs, which takes seconds."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(IMPORTED)
    return server


def ganbench(folder, *arguments):
    """The command line, in a folder: what a new process does; steps are timed for less long."""
    speed.TIMED_SECONDS = 0.05
    os.chdir(folder)
    sys.argv = ["ganbench", *arguments]
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    main()


@pytest.fixture
def start(tmp_path):
    """Start ``ganbench run`` into a folder, a process of its own, forked from one that has all modules."""
    (tmp_path / "suite.yaml").write_text(SUITE)
    server = forked()

    def begin(out):
        process = server.Process(
            target=ganbench, args=(tmp_path, "run", "suite.yaml", "--save-samples", "--out", out), daemon=True
        )
        process.start()
        return process

    return begin


def the_run(out):
    """The one run in a folder, or None where none has begun."""
    paths = [path.parent for path in out.glob("small-smoke/*/run.json")]
    assert len(paths) <= 1
    return RunFolder(paths[0]) if paths else None


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def same_bytes(one, other, folder):
    names = files(one / folder)
    assert names
    for name in names:
        assert (one / folder / name).read_bytes() == (other / folder / name).read_bytes(), name


def without_time(folder):
    frame = pd.read_csv(folder.table)
    times = [name for column in Record.read(folder).columns if column.varies for name in column.fills]
    assert times
    return frame.drop(columns=times)


TINY = """
suite: tiny
seeds: 2
budget: {steps: 40, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4}}
variants:
  first: {loss: minimax}
  second: {loss: wgan-gp}
  of-classes: {loss: minimax, architecture: {name: conditional-mlp, width: 4}, average: 0.9}
metrics: [modes, label-accuracy]
references: [oracle]
"""


def go(out):
    gc.freeze()  # each cell collects garbage, which would look through all that was imported
    torch.set_num_threads(1)
    suite = parse(TINY, Registry.load())
    run(suite, out=out, device=torch.device("cpu"), engine="eager", command=["ganbench"], observer=RunObserver())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no server to fork from")
def test_a_run_killed_within_its_events_ends_with_the_same_tables(tmp_path):
    """Amid a line of the journal or a checkpoint too: its files are torn there, as a kill between events tears none."""
    server = forked()
    delays = random.Random(7)

    def attempt(out, patience):
        process = server.Process(target=go, args=(out,))
        process.start()
        process.join(patience)
        process.kill()
        process.join()
        return process.exitcode

    assert attempt(tmp_path / "first", PATIENCE) == 0
    began = time.monotonic()
    assert attempt(tmp_path / "whole", PATIENCE) == 0
    duration = time.monotonic() - began
    (whole,) = (tmp_path / "whole" / "tiny").glob("*/run.json")
    kills, outs = 0, 0
    while kills < 6:
        outs += 1
        out = tmp_path / f"killed-{outs}"
        while attempt(out, delays.uniform(0, 0.8) * duration if kills < 6 else PATIENCE):
            kills += 1
        (killed,) = (out / "tiny").glob("*/run.json")
        for name in ("curves", "seeds", "table", "differences", "profiles"):
            own, theirs = (path.with_name(f"{name}.csv").read_bytes() for path in (killed, whole))
            assert own == theirs, name
        assert files(killed.parent) == files(whole.parent)
        same_bytes(killed.parent, whole.parent, "pictures")


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_tables(start, tmp_path):
    """Each kill comes after a random part of the time that an unkilled run takes; the same command follows.

    As a run goes on it gets done, whatever is done to it: then the next one begins.
    """
    began = time.monotonic()
    process = start("whole")
    process.join(PATIENCE)
    assert process.exitcode == 0
    duration = time.monotonic() - began
    whole = the_run(tmp_path / "whole")

    delays = random.Random(20)
    kills, in_cells, after_evaluation, outs = 0, 0, 0, 0
    while kills < KILLS:
        outs += 1
        out = tmp_path / f"killed-{outs}"
        while not (killed := the_run(out)) or not killed.finished:
            process = start(out.name)
            if kills < KILLS:
                process.join(delays.uniform(0, duration))
                if process.exitcode is None:
                    process.kill()
                    kills += 1
            process.join(PATIENCE)
            code = process.exitcode
            assert code in (0, -9)
            if code and (killed := the_run(out)):
                record = Record.read(killed)
                begun = [cell for cell in record.cells if cell.engine and not cell.ended]
                in_cells += bool(begun)
                after_evaluation += any(cell.evaluations for cell in begun)
        for name in ("curves", "seeds", "differences", "profiles"):
            assert getattr(killed, name).read_bytes() == getattr(whole, name).read_bytes(), (out, name)
        pd.testing.assert_frame_equal(without_time(killed), without_time(whole))
        assert files(killed.path) == files(whole.path)
        same_bytes(killed.path, whole.path, "samples")
        same_bytes(killed.path, whole.path, "pictures")
        assert [path.name for path in (out / "small-smoke").iterdir() if path.is_dir()] == [killed.path.name]
    print(f"{kills} kills of {outs} runs, {in_cells} in a cell, {after_evaluation} of them after an evaluation")
    # Enough of them hit where it matters.
    assert in_cells >= 5
    assert after_evaluation >= 3
