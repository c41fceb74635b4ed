"""The tasks of a run on disk, and the head that follows them: what is torn, late or missing there loses nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
from same_run import RUN, SUITE

from ganbench.cli import task as worker
from ganbench.core.shard import Shard
from ganbench.record import identity, record
from ganbench.record.events import CellEnded, RunFinished
from ganbench.record.folder import RunFolder, RunLockedError
from ganbench.record.journal import Journal
from ganbench.record.tasks import Job, TaskPlan, Tasks
from ganbench.run.executors import head as heads
from ganbench.run.executors.cancel import cancel
from ganbench.run.executors.executed import into
from ganbench.run.executors.followed import FollowedTask
from ganbench.run.executors.head import Head
from ganbench.run.observer import RunObserver
from ganbench.run.parts import copy_kept

PLAN = TaskPlan(1, ("ganbench", *RUN), ".", "made-up", {}, None, ("cpu",))


@pytest.fixture
def tasks(tmp_path):
    """A run of one task, which nobody trains."""
    folder = RunFolder.create(tmp_path / "results", "parts", "0" * 64, SUITE, {"cells": []})
    made = Tasks(folder)
    made.plan(PLAN)
    return made


def begun(tasks, created):
    """A run of the task that a worker has begun, by the clock of its machine."""
    home = tasks.home(Shard(1, 1)).parent
    folder = RunFolder.create(home, "parts", created[:8].ljust(64, "0"), SUITE, {"cells": []})
    about = folder.describe() | {"created": created}
    (folder.path / "run.json").write_text(json.dumps(about))
    return folder


def test_a_task_that_a_machine_whose_clock_is_late_has_finished_is_finished(tasks):
    """A worker begins anew on another kind of machine, in a folder that seems to be older than what was lost."""
    lost = begun(tasks, "2030-01-02T00:00:00+00:00")
    followed = FollowedTask(tasks, Shard(1, 1), "task 1 of 1")
    followed.news()
    assert followed.folder == lost
    late = begun(tasks, "2029-01-01T00:00:00+00:00")
    assert followed.news() == []
    with Journal(late.journal) as journal:
        journal.append(CellEnded("a", ()))
        journal.append(RunFinished())
    assert followed.news() == [CellEnded("a", ())]
    assert followed.finished
    assert followed.folder == late


def test_a_job_that_is_written_after_a_torn_line_is_known(tasks):
    """A power failure, or a full disk, has left a line without its end."""
    tasks.add_job(Job(1, 1, "a", True))
    with (tasks.path / "jobs.jsonl").open("a") as file:
        file.write('{"task": 1, "att')
    tasks.add_job(Job(1, 2, "b", True))
    assert tasks.jobs() == {1: Job(1, 2, "b", True)}


def test_a_file_that_was_copied_in_part_is_copied_again(tmp_path, monkeypatch):
    """The head was killed, or its disk was full, amid a copy."""
    shard, run = tmp_path / "shard", tmp_path / "run"
    (shard / "samples" / "ring8").mkdir(parents=True)
    (shard / "samples" / "ring8" / "0.npz").write_bytes(b"whole")

    def torn(source, file):
        file.write(b"who")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", torn)
        with pytest.raises(KeyboardInterrupt):
            copy_kept(shard, run)
    copy_kept(shard, run)
    assert [path.read_bytes() for path in run.rglob("*") if path.is_file()] == [b"whole"]


class MadeUp:
    """Workers that do what a test says."""

    room, alone, every = None, False, 0.0

    def __init__(self, jobs):
        self.jobs = jobs

    def submit(self, tasks):
        return self.jobs

    def states(self, jobs):
        return dict.fromkeys(jobs, "running")

    def stop(self, jobs):
        pass


class Notes(RunObserver):
    def __init__(self):
        self.lines = []

    def note(self, line):
        self.lines.append(line)


@pytest.mark.parametrize(
    ("jobs", "why"),
    [
        ({}, "submit() gave no job for task 1"),
        ({1: 4711}, "submit() must give a text for task 1, not 4711"),
        ({1: "a", 7: "b"}, "submit() gave a job for task 7, which it was not given"),
    ],
)
def test_an_executor_that_loses_what_it_is_given_is_an_error(jobs, why, tasks):
    """Else the head would submit the task again and again, without a word."""
    head = Head(tasks, [FollowedTask(tasks, Shard(1, 1), "task 1 of 1")], MadeUp(jobs), "made-up", RunObserver())
    with pytest.raises(ValueError, match="executor 'made-up' failed at submit") as error:
        head.work()
    assert why in str(error.value)


def test_a_worker_that_waits_for_another_is_said_once(tasks, monkeypatch):
    """Another process trains the task, which nobody knows of, or a lock is left on a disk of the network."""
    monkeypatch.setattr(heads, "POLL", 0.0)
    monkeypatch.setattr(heads, "SILENT", 0.0)
    tasks.add_job(Job(1, 1, "a", False))
    tasks.log(1, 1).write_text("attempt 1 on there, process 1\nwaits: parts is being run by process 4711\n")
    looks, notes = [], Notes()
    counted = Head._counts

    def counts(self):
        looks.append(1)
        if len(looks) == 5:
            raise KeyboardInterrupt
        return counted(self)

    monkeypatch.setattr(Head, "_counts", counts)
    head = Head(tasks, [FollowedTask(tasks, Shard(1, 1), "task 1 of 1")], MadeUp({}), "made-up", notes)
    with pytest.raises(KeyboardInterrupt):
        head.work()
    assert notes.lines[1:] == ["task 1 of 1 waits: parts is being run by process 4711"]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["waiting"] * 6, ["1 task waits in the queue of 'made-up', and none is at work"]),
        (["running", "waiting", "running", "waiting"], []),
    ],
)
def test_tasks_of_which_none_is_at_work_are_said_once(states, told, tasks, monkeypatch):
    """Nothing has what they ask for, as a GPU, or all nodes are gone: a queue may keep them forever, without a word."""
    clock = [0.0]

    def sleep(seconds):
        clock[0] += heads.SILENT - 1
        if not left:
            raise KeyboardInterrupt

    left, workers, notes = [*states], MadeUp({}), Notes()
    workers.states = lambda jobs: dict.fromkeys(jobs, left.pop(0))
    tasks.add_job(Job(1, 1, "a", False))
    tasks.log(1, 1).touch()
    monkeypatch.setattr(heads, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    with pytest.raises(KeyboardInterrupt):
        Head(tasks, [FollowedTask(tasks, Shard(1, 1), "task 1 of 1")], workers, "made-up", notes).work()
    assert notes.lines[1:] == told


def test_a_job_that_waits_again_is_not_over(tasks, monkeypatch):
    """A queue that takes it back does not know it for a moment; what it writes when it runs again may come late."""
    clock = [100.0]

    def sleep(seconds):
        clock[0] += heads.SETTLES - 0.5
        if not left:
            raise KeyboardInterrupt

    left, workers, notes = [{"a": "running"}, {}, {"a": "waiting"}, {}], MadeUp({}), Notes()
    workers.states = lambda jobs: left.pop(0)
    tasks.add_job(Job(1, 1, "a", False))
    monkeypatch.setattr(heads, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    with pytest.raises(KeyboardInterrupt):
        Head(tasks, [FollowedTask(tasks, Shard(1, 1), "task 1 of 1")], workers, "made-up", notes).work()
    assert [line for line in notes.lines if "lost" in line] == []


@pytest.mark.parametrize(
    ("batches", "asked", "room", "count"),
    [(50, None, 2, 8), (5, None, 2, 5), (50, 50, 2, 50), (50, None, None, 50), (3, 7, None, 3)],
)
def test_a_worker_gets_several_tasks_and_a_queue_all(batches, asked, room, count):
    """To import torch takes longer than a small cell trains: 50 processes for 50 of them import it 50 times."""
    assert into(batches, asked, room) == count


def test_a_worker_waits_while_another_process_trains_its_task(tasks, monkeypatch, capfd):
    """The head was killed before it wrote down what it had submitted: that process goes on, and does it all."""
    folder, slept = begun(tasks, "2030-01-01T00:00:00+00:00"), []
    other = ExitStack()
    other.enter_context(folder.lock())

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            with Journal(folder.journal) as journal:
                journal.append(RunFinished())
            other.close()

    monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=sleep))
    worker._train(tasks.run.path, 1, alone=False)
    assert slept == [worker.AGAIN] * 2
    lines = capfd.readouterr().out.splitlines()
    assert lines == [f"waits: {folder.path} is being run by process {os.getpid()}", "it is over"]


def test_a_run_is_done_where_its_tasks_cannot_be_removed(tasks, monkeypatch):
    """A worker that ends late has files of theirs open, on a disk of the network; the numbers are all there."""
    from ganbench.run import merge

    def refuse(path):
        if path.exists():
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))

    monkeypatch.setattr(merge, "discard", refuse)
    hidden = tasks.run.path / ".tasks"
    lines = [*merge._without_tasks(tasks.run)]
    assert lines == [f"{hidden} could not be removed, and nothing needs it: {os.strerror(errno.ENOTEMPTY)}"]
    assert not tasks.there


@pytest.mark.parametrize("amid", [False, True])
def test_a_run_whose_tasks_are_merged_while_it_is_read_is_read_as_merged(tasks, monkeypatch, amid):
    """Its journal was read before, the folder of its tasks is gone: without another look it would have no rows."""
    about = {"suite": "parts", "columns": [], "metrics": {}, "tables": [], "versions": {}, "environment": {}}
    (tasks.run.path / "run.json").write_text(json.dumps(tasks.run.describe() | about))
    monkeypatch.setattr(record, "check_run", lambda _: None)

    def merged(found):
        with Journal(found.run.journal) as file:
            file.append(RunFinished())
        shutil.rmtree(found.path)
        if amid:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(found.path))
        return iter(())

    monkeypatch.setattr(Tasks, "events", merged)
    assert record.Record.read(tasks.run).finished


def test_a_run_that_finishes_while_it_is_cancelled_is_said(tasks, monkeypatch):
    shutil.rmtree(tasks.path)
    with pytest.raises(ValueError, match="has finished meanwhile"):
        cancel(tasks.run, executor=None)


def test_what_is_asked_of_a_head_that_has_just_begun_is_asked_again(tasks, monkeypatch):
    """It takes back what was asked of an earlier one, perhaps at the same moment."""
    asked, lock = [], RunFolder.lock

    @contextmanager
    def held(folder):
        asked.append(tasks.cancelled)
        tasks.cancel(asked=False)
        if len(asked) < 3:
            raise RunLockedError("parts is being run by process 4711")
        with lock(folder):
            yield

    monkeypatch.setattr(RunFolder, "lock", held)
    workers = SimpleNamespace(room=1, alone=True, every=0, submit=print, stop=print, states=lambda jobs: {})
    stopped = cancel(tasks.run, SimpleNamespace(name="made-up", build=lambda **given: workers))
    assert stopped == (0, True)
    assert asked == [True] * 3


def test_a_task_that_has_finished_is_not_lost_where_the_disk_tells_its_size_late(tasks, monkeypatch):
    """A disk of the network keeps what it knows of a file for up to a minute; who opens the file gets what is in it."""
    folder, notes, sizes = begun(tasks, "2030-01-01T00:00:00+00:00"), Notes(), Tasks.sizes
    with Journal(folder.journal) as journal:
        journal.append(RunFinished())
    tasks.add_job(Job(1, 1, "a", False))
    workers, followed = MadeUp({}), FollowedTask(tasks, Shard(1, 1), "task 1 of 1")
    answers = iter([{"a": "running"}])
    workers.states = lambda jobs: next(answers, {})
    monkeypatch.setattr(Tasks, "sizes", lambda self, shard: dict.fromkeys(sizes(self, shard), 0))
    for name in ("POLL", "SETTLES"):
        monkeypatch.setattr(heads, name, 0.0)
    followed.folder, followed._sizes = folder, tasks.sizes(followed.shard)
    Head(tasks, [followed], workers, "made-up", notes).work()
    assert followed.finished
    assert notes.lines[1:] == []


@pytest.mark.parametrize(("look", "pause"), [(0.01, heads.POLL), (2.0, 8.0), (60.0, heads.LONGEST)])
def test_a_head_whose_looks_at_many_tasks_take_long_looks_less_often(look, pause, tasks, monkeypatch):
    """It shares its machine, often a login node: at most a fifth of a processor is for looking."""
    clock, pauses = [0.0], []

    def news(task):
        clock[0] += look
        return []

    def sleep(seconds):
        pauses.append(seconds)
        raise KeyboardInterrupt

    tasks.add_job(Job(1, 1, "a", False))
    monkeypatch.setattr(FollowedTask, "news", news)
    monkeypatch.setattr(heads, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    head = Head(tasks, [FollowedTask(tasks, Shard(1, 1), "task 1 of 1")], MadeUp({}), "made-up", Notes())
    with pytest.raises(KeyboardInterrupt):
        head.work()
    assert pauses == [pytest.approx(pause)]


def test_the_suite_that_all_tasks_of_a_run_share_is_parsed_once(monkeypatch):
    """That of 1,000 variants takes a second to parse, and each of its 1,000 tasks was compared with the first."""
    parsed, load = [], identity.yaml.load
    monkeypatch.setattr(identity.yaml, "load", lambda text, loader: parsed.append(text) or load(text, loader))
    about = {"versions": {"platform": "a"}, "device": {}, "engine": "eager", "source": "", "environment": {}}
    about |= {"data": {}, "plugins": [], "plan": ["a"]}
    suite = SUITE + "# of this test\n"
    for _ in range(3):
        assert identity.plan_differences(about, suite, about, suite) == []
    assert parsed == [suite]
