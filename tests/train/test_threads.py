"""Chunks side by side on threads of their own: what is held, what fails, and what is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pandas as pd
import pytest
import torch

import ganbench
from ganbench.core.errors import PluginError
from ganbench.train.engine import engine as engines
from ganbench.train.trainer import Trainer

TINY = "{loss: nonsaturating, architecture: {name: mlp, width: 4, depth: 1}}"


@pytest.fixture
def side_by_side(cell, shipped, cpu, chunked, monkeypatch):
    """A trainer whose chunks of two run on two threads, as compiled ones do; with a step that ``around`` may change."""
    made = threading.Lock()

    def build(around, seeds=7):
        chunked(2, workers=2)
        trainer = Trainer([cell(TINY, seeds=seeds)], cpu, "eager")
        step = trainer._engine._step

        def changed(state, *rest):
            around(state, rest[-1])
            # Recording and batching are of one thread at a time, unlike what is compiled.
            with made:
                return step(state, *rest)

        trainer._engine._step = changed
        return trainer

    return build


def test_on_threads_everything_is_as_without(side_by_side, trained, apart, chunked):
    """To the bit, also when slices are shorter than a turn."""
    trainer = side_by_side(lambda state, index: None)
    state = trainer.start
    for begin, end in ((0, 1), (1, 40), (40, 50)):
        state = trainer.advance(state, begin, end)
    chunked(2)
    assert apart(state, trained(TINY, seeds=7, steps=50)) == 0


def test_each_chunk_takes_each_step_once_and_in_order(side_by_side):
    taken = {}

    def note(state, index):
        taken.setdefault(state.players.D.t.tolist()[0], []).append((int(index), len(state.survived)))

    side_by_side(note).advance(side_by_side(note).start, 0, 50)
    # Four chunks, the last of one seed; t is the step as the chunk's own state has it.
    assert {t: sorted(steps) for t, steps in taken.items()} == {
        float(step): [(step, 1), (step, 2), (step, 2), (step, 2)] for step in range(50)
    }


def test_an_exception_on_a_thread_is_the_cells_and_the_others_stop(side_by_side):
    """It is raised at once, with its words, and nobody is at work afterwards."""
    at_work = []

    def fail(state, index):
        at_work.append(index)
        if len(state.survived) == 1 and index == 3:
            raise ValueError("the plugin's own words")

    trainer = side_by_side(fail)
    with pytest.raises(PluginError, match="ValueError: the plugin's own words"):
        trainer.advance(trainer.start, 0, 5000)
    count = len(at_work)
    assert count < 4 * 200
    time.sleep(0.1)
    assert len(at_work) == count


def test_memory_that_runs_out_on_a_thread_leaves_one_chunk_at_a_time(side_by_side, trained, apart, chunked):
    sizes = []

    def hungry(state, index):
        sizes.append(len(state.survived))
        if len(state.survived) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    trainer = side_by_side(hungry)
    state = trainer.advance(trainer.start, 0, 20)
    assert (trainer.chunks.size, trainer.chunks.workers) == (1, 1)
    assert trainer.note == "memory ran out: 1 of 7 seeds train at once"
    chunked(1)
    assert apart(state, trained(TINY, seeds=7, steps=20)) == 0


def test_an_interruption_stops_all_threads_within_a_step(side_by_side):
    """As Ctrl-C does, while the main thread waits."""
    at_work = []

    def slow(state, index):
        at_work.append(index)
        if len(at_work) == 20:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.01)

    trainer = side_by_side(slow)
    with pytest.raises(KeyboardInterrupt):
        trainer.advance(trainer.start, 0, 10_000)
    count = len(at_work)
    assert count < 60
    time.sleep(0.1)
    assert len(at_work) == count


@pytest.mark.parametrize("workers", [1, 2])
def test_only_so_many_chunks_hold_noise_that_is_not_kept_as_there_are_threads(
    workers, side_by_side, chunked, monkeypatch
):
    alive, most = [], []

    def note(state, index):
        most.append(sum(noise() is not None and noise()._blocks[0][0] >= 0 for noise in alive))

    monkeypatch.setattr(engines, "KEPT_BYTES", 0)
    trainer = side_by_side(note, seeds=8)
    if workers == 1:
        trainer._engine.chunks = trainer.chunks.halved()
    noise_of = trainer._engine._noise_of

    def remembered(seeds):
        made = noise_of(seeds)
        alive.append(weakref.ref(made))
        return made

    trainer._engine._noise_of = remembered
    trainer.advance(trainer.start, 0, 20)
    assert len(most) == 20 * (4 if workers == 2 else 8)
    assert max(most) <= workers


def test_of_all_turns_one_state_is_held():
    """Each is as large as all that is trained."""
    made, most = [], 0

    def turns():
        nonlocal most
        for at in range(6):
            state = torch.full((2,), float(at))
            made.append(weakref.ref(state))
            most = max(most, sum(one() is not None for one in made))
            yield [state]

    assert engines._last(turns())[0].tolist() == [5.0, 5.0]
    assert most <= 2


SUITE = """
suite: long
seeds: 24
budget: {steps: 200000, batch: 32}
evaluate: {every: 1000, samples: 300}
datasets: {ring8: ring}
variants: {it: {loss: minimax, architecture: {name: mlp, width: 8, depth: 1}}}
metrics: [jsd]
references: []
"""


@pytest.mark.slow
def test_ctrl_c_stops_a_compiled_run_at_once_and_the_same_command_goes_on(tmp_path):
    """Two threads at work: within 2 s they have stopped; told to go on, it does from its last checkpoint."""
    (tmp_path / "long.yaml").write_text(SUITE)
    environment = os.environ | {"PYTHONPATH": str(Path(ganbench.__file__).parents[1]), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "ganbench", "run", "long.yaml", "--engine", "compiled", "--out", "out"]

    def evaluations():
        journals = list((tmp_path / "out").glob("long/*/journal.jsonl"))
        return journals[0].read_text().count('"evaluation"') if journals else 0

    before = 1
    for _ in range(2):
        with open(tmp_path / "shown", "wb") as shown:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=shown, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        # The oracle has one; two of the cell, so that a checkpoint was written.
        while evaluations() < before + 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        # Then Python itself ends, which after torch's compiler takes it a while.
        assert process.stderr.readline() == b"stopped; the same command goes on from here\n"
        assert time.monotonic() - sent < 2
        assert process.communicate(timeout=60)[1] == b""
        assert process.returncode == 130
        before = evaluations()
    (run,) = (tmp_path / "out").glob("long/*/journal.jsonl")
    steps = pd.read_json(run, lines=True).query("event == 'evaluation'")["step"].tolist()[1:]
    # In the second attempt it went on where the checkpoint was, or one evaluation before.
    assert steps == sorted(steps)
    assert len(steps) - len(set(steps)) <= 1
