"""The timing worker: what it says first, what it answers, and that nobody else's words are taken for its own."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from ganbench.compare.speed import timing_worker
from ganbench.compare.speed.timing_worker import VERSION, TimingWorker, queued, serve
from ganbench.compare.speed.worker_process import Worker
from ganbench.suite.mistake import SuiteError

SUITE = """
suite: tiny
seeds: 2
budget: {steps: 10, batch: 8}
evaluate: {every: 10, samples: 100}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 8}}
variants: {minimax: {loss: minimax}, other: {loss: %s}}
metrics: [jsd]
"""

NOISY = """
from ganbench import Loss, hookimpl
print("a word while it is loaded")

def discriminator(d_real, d_fake):
    print("a word while it is trained")
    return (d_fake - d_real).mean()

def generator(d_fake):
    return -d_fake.mean()

@hookimpl
def ganbench_losses():
    yield Loss("noisy", discriminator, generator)
"""


def asked(path: Path, **more) -> argparse.Namespace:
    given = {"suite": path, "fallback": None, "device": "cpu", "seeds": None, "beside": [], "plugins": None}
    return argparse.Namespace(**given | more)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(SUITE % "nonsaturating")
    return path


def answers(worker: TimingWorker, *requests: object) -> list[dict]:
    out = io.StringIO()
    serve(worker, [json.dumps(request) + "\n" for request in requests], out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_it_says_what_there_is_and_times_what_it_is_asked_for(suite):
    first, ready, timed = answers(
        TimingWorker(asked(suite)),
        {"do": "prepare", "case": ["ring8", "minimax"], "engine": "eager"},
        {"do": "time", "begin": 0, "steps": 2, "times": 3},
    )
    assert first["pacer"] == VERSION
    assert [batch["cases"] for batch in first["batches"]] == [[["ring8", "minimax"]], [["ring8", "other"]]]
    assert ready["engine"] == "eager"
    assert ready["replicas"] == 2
    assert ready["block"] >= 1
    assert len(timed["seconds"]) == 3
    assert min(timed["seconds"]) > 0


def test_a_request_that_fails_is_answered_in_a_line_and_the_next_one_served(suite):
    _, failed, ready = answers(
        TimingWorker(asked(suite)),
        {"do": "prepare", "case": ["ring8", "nobody"], "engine": "eager"},
        {"do": "prepare", "case": ["ring8", "other"], "engine": "serial"},
    )
    assert "nobody" in failed["error"]
    assert ready["engine"] == "serial"


def test_a_suite_that_cannot_be_read_gives_way_to_the_revisions_own(suite, tmp_path):
    newer = tmp_path / "newer.yaml"
    newer.write_text(SUITE % "not-invented-yet")
    with pytest.raises(SuiteError):
        TimingWorker(asked(newer))
    assert TimingWorker(asked(newer, fallback=suite)).suite == suite


def test_seeds_are_those_asked_for(suite):
    _, ready = answers(
        TimingWorker(asked(suite, seeds=3)), {"do": "prepare", "case": ["ring8", "minimax"], "engine": "eager"}
    )
    assert ready["replicas"] == 3


def test_settings_of_a_sweep_are_one_batch(suite):
    suite.write_text(SUITE % "minimax" + "sweep: {optimizer.lr: [1e-3, 2e-3]}\n")
    batches = TimingWorker(asked(suite)).about()["batches"]
    assert [len(batch["cases"]) for batch in batches] == [2, 2]


def test_the_queue_is_that_of_the_threads_at_work():
    before = {"main": (5, 5), "idle": (0, 7)}
    after = {"main": (2_000_000_005, 1_000_000_005), "new": (2_000_000_000, 500_000_000), "idle": (1000, 9_000_000_000)}
    assert queued(before, after) == pytest.approx(0.75)
    assert queued({}, {}) == 0.0


def test_what_plugins_print_is_no_answer(suite, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "noisy.py").write_text(NOISY)
    suite.write_text(SUITE % "noisy")
    home = Path(timing_worker.__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-P", timing_worker.__file__, suite, "--device", "cpu", "--beside", tmp_path / "plugins"],
        input='{"do": "prepare", "case": ["ring8", "other"], "engine": "eager"}\n',
        env={"PYTHONPATH": str(home), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    first, ready = map(json.loads, done.stdout.splitlines())
    assert first["batches"]
    assert ready["engine"] == "eager"
    assert "a word while it is trained" in done.stderr


def test_a_worker_is_ended_where_there_are_no_groups_of_processes(monkeypatch):
    """As on Windows."""
    worker = Worker.__new__(Worker)
    worker._ended, worker._folder, worker._log = False, tempfile.TemporaryDirectory(), io.BytesIO()
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    worker._process = subprocess.Popen(sleeping, stdin=subprocess.PIPE, start_new_session=True)
    worker._listener = threading.Thread(target=lambda: None)
    worker._listener.start()
    monkeypatch.delattr(os, "killpg")
    worker.close()
    assert worker._process.returncode
    assert not Path(worker._folder.name).exists()
