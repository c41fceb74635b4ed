"""A process that ends below Python, killed or by compiled code: that is no result, and the next command says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ganbench
from ganbench.record.attempt import MARK, attempt
from ganbench.record.folder import RunFolder

PLUGIN = '''"""Data that ends the process, once a variant has been evaluated."""
import ctypes, os
from pathlib import Path
import torch
from ganbench import Dataset, hookimpl

class Ring:
    shape = (2,)
    def sample(self, n, generator):
        journals = Path("results/t").glob("*/journal.jsonl")
        if any(b'"step":20,' in path.read_bytes() for path in journals):
            match os.environ.get("WAY"):
                case "killed": os.kill(os.getpid(), 9)
                case "segfault": ctypes.string_at(0)
                case "exit": ctypes.CDLL(None).syscall(231, 0)  # exit_group
        return torch.randn(n, 2, generator=generator)

@hookimpl
def ganbench_datasets():
    yield Dataset("ends", Ring)
'''
SUITE = """
suite: t
seeds: 1
budget: {steps: 200, batch: 8}
evaluate: {every: 20, samples: 60}
datasets: {r: ends}
references: []
defaults: {architecture: {name: mlp, width: 4}}
variants: {a: {loss: minimax}}
metrics: [mmd]
"""


def test_an_attempt_that_does_not_end_leaves_where_it_was(tmp_path):
    folder = RunFolder(tmp_path)
    with attempt(folder) as (line, at):
        assert line == ""
        at("r a")
        (tmp_path / "kept").write_bytes((tmp_path / MARK).read_bytes())
    assert not (tmp_path / MARK).exists()
    (tmp_path / "kept").rename(tmp_path / MARK)
    said = []

    def stopped():
        with attempt(folder) as (line, _):
            said.append(line)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert said[0].startswith("the attempt before ended without a word at r a: its process was killed, ran out of ")
    with attempt(folder) as (line, _):
        assert line == "", "what Ctrl-C ends is known to who pressed it"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="signals, and a system call's number")
@pytest.mark.parametrize(("way", "code"), [("killed", -signal.SIGKILL), ("segfault", -signal.SIGSEGV), ("exit", 0)])
def test_what_ends_the_process_below_python_is_no_result(way, code, tmp_path, monkeypatch, gb):
    """Even where its exit code is 0: a comparison ends with 2, and the same command goes on and says what happened."""
    monkeypatch.chdir(tmp_path)
    Path("plugins").mkdir()
    Path("plugins/ends.py").write_text(PLUGIN)
    Path("t.yaml").write_text(SUITE)
    environment = os.environ | {"PYTHONPATH": str(Path(ganbench.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ganbench", "run", "t.yaml", "--engine", "eager", "--device", "cpu"]
    done = subprocess.run(command, env=environment | {"WAY": way}, capture_output=True, text=True, timeout=300)
    assert (done.returncode, "JSD" in done.stdout) == (code, False)
    status, out, err = gb("compare", "results/t", "results/t")
    assert (status, out) == (2, "")
    assert "its newest run has not finished: give the command of results/t/" in err
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the attempt before ended without a word at r a: its process was killed" in again.stdout
    assert len([*Path("results/t").glob("[!.]*/")]) == 1
