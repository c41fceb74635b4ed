"""Executors: the tasks of a run, trained in any processes and lost at any moment, give the tables of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked_tasks
import pandas as pd
import pytest
import same_run
from forked_tasks import Forked
from same_run import RUN, files, the_run

from ganbench.record.record import Record
from ganbench.record.tasks import Tasks
from ganbench.run.executors import executed, head
from ganbench.run.parts import Part, ShardsError

#: With a reference beside the oracle: four tasks.
SUITE = same_run.SUITE.replace("references: []", "references: [memoriser]").replace("every: 20", "every: 10")
SUITE = SUITE.replace("steps: 100", "steps: 40")
FORKED = (*RUN, "--executor", "forked")
PATIENCE = 600

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no server to fork from")


@pytest.fixture
def suites(tmp_path, monkeypatch):
    """A folder with the suite and the executor, in which commands are given."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "forked.py").write_text(forked_tasks.PLUGIN)
    (tmp_path / "parts.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    for name, value in (("POLL", 0.02), ("SETTLES", 0.1)):
        monkeypatch.setattr(head, name, value)
    monkeypatch.setattr(Forked, "submitted", [])
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of the run that one process makes."""
    from ganbench.cli import main

    home = tmp_path_factory.mktemp("whole")
    (home / "parts.yaml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sys, "argv", ["ganbench", "run", "parts.yaml", "--engine", "eager", "--save-samples"])
        with pytest.raises(SystemExit) as stop:
            main()
    assert not stop.value.code
    return files(the_run(home / "results"))


def evaluated(task):
    """Whether a task that is at work has an evaluation in its journal.

    A walk through all folders fails where one gets its name meanwhile: a run's folder is hidden until it is complete.
    """
    return any(b'"evaluation"' in path.read_bytes() for path in task.glob("parts/[!.]*/journal.jsonl"))


def test_tasks_are_the_run_that_one_process_makes_to_the_byte_whoever_is_killed(suites, whole, gb, monkeypatch):
    """A task is killed at its first evaluation, and one at once: both are said, and submitted again."""
    killed = []

    def spoil(number, process):
        if number in killed or len(killed) == 2:
            return
        killed.append(number)
        began = time.monotonic()
        home = the_run(suites / "results").path / "tasks" / "shards" / f"{number}-of-4"
        while len(killed) == 1 and not evaluated(home) and process.is_alive():
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.01)
        process.kill()

    monkeypatch.setattr(Forked, "spoil", staticmethod(spoil))
    code, out, err = gb(*FORKED, "--save-samples")
    assert code == 0, err
    run = the_run(suites / "results")
    assert files(run) == whole
    assert sorted(Forked.submitted) == sorted([1, 2, 3, 4, *killed])
    said = out + err
    assert "was lost: it was ended without a word: killed, or out of memory; it is submitted again (1 of 3)" in said
    assert said.count("it is submitted again (1 of 3)") == 2
    assert run.finished
    about = run.describe()
    assert about["executor"] == {"name": "forked"}
    assert about["command"][:3] == ["ganbench", "run", "parts.yaml"]
    assert [made["shard"] for made in about["shards"]] == ["1/4", "2/4", "3/4", "4/4"]
    assert about["identity"] == json.loads((run.path / "run.json").read_text())["identity"]
    assert about["device"]["device"] == "cpu"
    assert gb("show", "results/parts")[0] == 0


def test_tasks_share_one_copy_of_what_grows_with_the_run(suites, gb, monkeypatch):
    """The suite and the plan of all cells: with a copy in each task, the disk grows as the square of their number."""
    (suites / "parts.yaml").write_text(f"{SUITE}\ndescription: {'long ' * 100_000}\n")
    kept, merge = {}, executed.merge_tasks

    def look(run, shards):
        with pytest.raises(ShardsError, match="is a task of a run: the command that began that run merges its tasks"):
            Part.read(shards[0])
        kept["bytes"] = sum(path.lstat().st_size for path in Tasks(run).path.rglob("*") if not path.is_dir())
        kept["suites"] = {shard.suite.read_text() == run.suite.read_text() for shard in shards}
        kept["plans"] = [shard.describe().get("plan") for shard in shards]
        kept["about"] = [Record.read(shard).about[0] for shard in shards]
        return merge(run, shards)

    monkeypatch.setattr(executed, "merge_tasks", look)
    code, _, err = gb(*FORKED)
    assert code == 0, err
    assert kept["bytes"] < 500_000
    assert kept["suites"] == {True}
    assert kept["plans"] == [None] * 4
    assert [line.split(";")[0] for line in kept["about"]] == [f"shard {i} of 4: 1 of the 4 rows" for i in range(1, 5)]


def test_a_task_that_was_trained_by_another_suite_is_not_merged(suites, gb, monkeypatch):
    """Its own copy would have said so: the digest of what has decided its numbers does."""
    merge = executed.merge_tasks

    def change(run, shards):
        text = run.suite.read_text().replace("steps: 40", "steps: 50")
        run.suite.write_text(text)
        return merge(run, shards)

    monkeypatch.setattr(executed, "merge_tasks", change)
    code, _, err = gb(*FORKED, "--tasks", 1)
    assert code == 2
    assert "was trained by another suite than" in err


def test_a_head_that_was_stopped_goes_on_with_what_is_done(suites, whole, gb, monkeypatch):
    """Ctrl-C after the first of two tasks: what is at work is stopped, `show` knows what is done, and that is kept."""
    news = head.FollowedTask.news

    def stopping(task):
        found = news(task)
        if task.finished:
            raise KeyboardInterrupt
        return found

    with monkeypatch.context() as patch:
        patch.setattr(head.FollowedTask, "news", stopping)
        code, _, err = gb(*FORKED, "--save-samples", "--tasks", 2, "--workers", 1)
    assert code == 130
    assert "stopped; the same command goes on from here" in err
    for process in Forked.processes.values():  # that of the task that is done may not be over yet
        process.join(PATIENCE)
    assert not the_run(suites / "results").finished
    ended = sum(cell.ended for cell in Record.read(the_run(suites / "results")).cells)
    assert 0 < ended < 4
    code, _, err = gb("show", "results/parts")
    assert code == 0
    assert "has not finished" in err
    (first,) = Forked.submitted
    code, _, err = gb(*FORKED, "--save-samples", "--tasks", 3)
    assert code == 0, err
    assert Forked.submitted == [first, 3 - first]
    assert files(the_run(suites / "results")) == whole


def test_a_task_that_is_lost_again_and_again_is_given_up_and_the_others_are_kept(suites, gb, monkeypatch):
    """After three more tries; the exit code says that a cell failed, and the same command tries it once more."""
    monkeypatch.setattr(Forked, "spoil", staticmethod(lambda number, process: process.kill() if number == 2 else None))
    code, out, err = gb(*FORKED, "--tasks", 2)
    assert code == 3
    assert Forked.submitted.count(2) == 4
    assert "it is given up" in out + err
    assert "1 of 2 tasks are done and kept; the same command tries the others again" in err
    monkeypatch.setattr(Forked, "spoil", staticmethod(lambda number, process: None))
    assert gb(*FORKED)[0] == 0
    assert Forked.submitted[-1] == 2


def test_a_full_disk_on_one_worker_costs_its_task_one_attempt(suites, gb, monkeypatch):
    monkeypatch.setitem(forked_tasks.FULL, 1, 1)
    code, out, err = gb(*FORKED, "--tasks", 2)
    assert code == 0, err
    assert sorted(Forked.submitted) == [1, 1, 2]
    said = " ".join((out + err).split())
    assert "was lost: RunStoppedError: [Errno 28] No space left on device; nothing had been measured" in said


def test_a_worker_refuses_to_train_something_else(suites, gb, monkeypatch):
    """The suite has changed since the run began: it is said at once, with what differs, and not tried again."""
    submit = Forked.submit

    def changed(self, tasks):
        (suites / "parts.yaml").write_text(SUITE.replace("steps: 40", "steps: 50"))
        return submit(self, tasks)

    monkeypatch.setattr(Forked, "submit", changed)
    code, out, err = gb(*FORKED, "--tasks", 1)
    assert code == 3
    assert Forked.submitted == [1]
    said = " ".join((out + err).split())
    assert "was refused: " in said
    assert "the suite's budget.steps is 50 (it was 40); it is given up" in said


def test_a_worker_that_does_not_see_the_folder_is_said(suites, gb, monkeypatch):
    """It has left no log: neither while it runs, nor when it is over."""
    monkeypatch.setattr(forked_tasks, "begin", forked_tasks.sleeps)
    monkeypatch.setattr(head, "SILENT", 0.2)
    monkeypatch.setattr(head, "AGAIN", 0)
    code, out, err = gb(*FORKED, "--tasks", 1)
    assert code == 3
    said = " ".join((out + err).split())
    run = the_run(suites / "results").path.relative_to(suites)
    asked = f"has written nothing into {run}: can its machine see that folder?"
    assert f"runs, and {asked}" in said
    assert f"was lost: it {asked}; it is given up" in said


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--workers", 2), "--workers: is for tasks of a run: add --executor NAME, such as local"),
        (("--detach",), "--detach: is for tasks of a run: add --executor NAME, such as local"),
        (("--device", "cpu,cpu"), "--device cpu,cpu: one process trains on one device: add --executor local"),
        (
            ("--executor", "forked", "--shard", "1/2"),
            "--shard: an executor cuts the run itself: leave out --shard, or --executor",
        ),
        (("--executor", "locl"), "--executor: unknown executor 'locl', did you mean 'local'?"),
        (
            ("--executor", "local", "--local", "gpus=1"),
            "--local: gpus: unknown parameter 'gpus' of executor 'local'; it has none",
        ),
        (("--executor", "local", "--local", "gpus"), "--local gpus: write --local KEY=VALUE"),
        (
            ("--executor", "absent"),
            "executor 'absent' needs the package no_such, which is not installed: pip install 'ganbench[such]'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(options, line, suites, gb):
    (suites / "plugins" / "absent.py").write_text(
        forked_tasks.PLUGIN.replace('"forked", lambda', '"absent", needs={"no_such": "ganbench[such]"}, build=lambda')
    )
    code, out, err = gb("run", "parts.yaml", *options)
    assert (code, out) == (2, "")
    assert err.splitlines() == [line]
    assert not (suites / "results").exists()


def command(*words):
    return [sys.executable, "-m", "ganbench", *words]


@pytest.mark.slow
def test_a_head_that_was_killed_finds_its_local_processes(suites, whole):
    """SIGKILL of the head: its processes go on, and the same command does not start them again."""
    words = command("run", "parts.yaml", "--engine", "eager", "--executor", "local", "--workers", "2", "--tasks", "2")
    words += ["--save-samples"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began = time.monotonic()
    while not [*(suites / "results" / "parts").glob("[!.]*/")] or len(Tasks(the_run(suites / "results")).jobs()) < 2:
        assert process.poll() is None
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.05)
    process.kill()
    process.wait()
    own = [int(job.name.split()[0]) for job in Tasks(the_run(suites / "results")).jobs().values()]
    # On a quick machine they would have ended before the next head looks.
    for pid in own:
        os.kill(pid, signal.SIGSTOP)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as again:
        assert again.stdout is not None
        said = next((line for line in again.stdout if "still at work" in line), "")
        for pid in own:
            os.kill(pid, signal.SIGCONT)
        output, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, output
    assert "2 tasks that were submitted before are still at work, and not submitted again" in said
    assert files(the_run(suites / "results")) == whole
    # Whoever has inherited them from the head takes note of their end in its own time.
    until = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{pid}").exists() for pid in own):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_two_local_processes_are_one_to_the_byte_and_their_clocks_are_left_out(suites, whole, gb):
    code, _, err = gb(*RUN, "--executor", "local", "--workers", 2, "--tasks", 2, "--save-samples")
    assert code == 0, err
    assert files(the_run(suites / "results")) == whole


def test_clocks_of_tasks_that_had_company_are_empty_and_it_is_said(suites, gb):
    """What was measured stays in the journal. A task that was alone keeps its clocks."""
    timed = (
        SUITE.replace("[modes, mmd]", "[modes, throughput]")
        .replace("steps: 40", "steps: 4")
        .replace("every: 10", "every: 4")
    )
    (suites / "parts.yaml").write_text(timed)
    for workers, alone in ((2, False), (1, True)):
        code, out, err = gb(*FORKED, "--tasks", 1, "--workers", workers, "--out", f"out{workers}")
        assert code == 0, err
        (path,) = (suites / f"out{workers}" / "parts").glob("[!.]*/")
        table = pd.read_csv(path / "table.csv").set_index("variant")
        assert table.loc[["ns", "own"], "model_steps_per_second"].notna().all() == alone
        assert ("no clocks for 2 rows: trained beside other tasks" in " ".join(out.split())) != alone
        assert b'"model_steps_per_second":' in (path / "journal.jsonl").read_bytes()


def test_what_a_cell_costs_is_measured_again_by_a_worker_whose_predecessor_was_killed_meanwhile(
    suites, gb, monkeypatch
):
    """That a cell's clocks will be left out is known from its start; it does not mean that they were read."""
    timed = SUITE.replace("[modes, mmd]", "[modes, throughput, cost]").replace("steps: 40", "steps: 4")
    (suites / "parts.yaml").write_text(timed.replace("every: 10", "every: 4"))
    monkeypatch.setitem(forked_tasks.KILLED, 1, 1)
    code, _, err = gb(*FORKED, "--tasks", 1, "--workers", 2)
    assert code == 0, err
    assert Forked.submitted == [1, 1]
    table = pd.read_csv(the_run(suites / "results").table).set_index("variant")
    assert table.loc[["ns", "own"], "parameters"].notna().all()
    assert table.loc[["ns", "own"], "model_steps_per_second"].isna().all()
