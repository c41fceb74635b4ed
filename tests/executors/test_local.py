"""Local processes: what is started is known and can be stopped, whatever happens meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from same_run import RUN, SUITE, the_run

from ganbench.plugin.executed import Task
from ganbench.record.tasks import Tasks

PATIENCE = 600
SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")


@pytest.fixture
def build(shipped):
    """What the executor builds, as by a new process."""
    (executor,) = (entry.value for entry in shipped.entries if (entry.kind, entry.name) == ("executor", "local"))
    return executor.build


def test_where_a_process_cannot_be_started_those_started_with_it_are_stopped(build, monkeypatch):
    """Nobody would know of them: the head is told of none."""
    started, popen = [], subprocess.Popen

    def kept(*words, **given):
        started.append(popen(*words, **given))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", kept)
    with pytest.raises(FileNotFoundError):
        build(2, ("cpu",)).submit([Task(1, SLEEPS), Task(2, ("/no/such/program",))])
    assert [process.wait(PATIENCE) for process in started] == [-15]


def test_a_process_that_is_over_at_once_is_over_for_another_head_too(build, monkeypatch):
    """Its job was written down when the system knew nothing of it any more."""
    workers = build(1, ("cpu",))
    monkeypatch.setitem(build.__globals__, "start_of", lambda number: "")
    (job,) = workers.submit([Task(1, (sys.executable, "-c", ""))]).values()
    workers.started[job].wait(PATIENCE)
    monkeypatch.undo()
    assert build(1, ("cpu",)).states([job]) == {}


def test_cancel_stops_a_head_that_is_at_work_and_its_processes(tmp_path, gb, monkeypatch):
    """The head, its two processes and `cancel` are four; the tasks would train for hours."""
    (tmp_path / "parts.yaml").write_text(SUITE.replace("steps: 100", "steps: 1000000"))
    monkeypatch.chdir(tmp_path)
    words = [sys.executable, "-m", "ganbench", *RUN, "--executor", "local", "--workers", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as head:
        began = time.monotonic()
        jobs = "results/parts/*/tasks/jobs.jsonl"
        while not any(len(path.read_text().splitlines()) == 2 for path in tmp_path.glob(jobs)):
            assert head.poll() is None, head.stdout.read()
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.05)
        run = the_run(tmp_path / "results")
        processes = [int(job.name.split()[0]) for job in Tasks(run).jobs().values()]
        code, out, err = gb("cancel", "results/parts")
        said, _ = head.communicate(timeout=PATIENCE)
    assert code == 0, err
    assert out.endswith(": its command stopped; the command that began it goes on from there\n")
    assert head.returncode == 130
    assert "2 tasks were stopped" in said
    assert "was cancelled; the same command goes on from here" in said
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert not Tasks(run).cancelled
    assert gb("cancel", "results/parts")[1].endswith(
        ": nothing was at work on it; the command that began it goes on from there\n"
    )
