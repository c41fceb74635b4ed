"""The head of a run: it gives the tasks of the run to an executor, follows their journals, and submits lost ones again.

It trains nothing. Each task is a shard of the run, which a worker trains as ``ganbench run --shard i/n`` does, into a
folder of its own inside the run's folder. Whether a task has finished is known from its journal alone; the executor is
asked only which jobs are not over. Where a job is over and its task has not finished, the task is submitted again, and
goes on from its last checkpoint. The jobs are written down in the run's folder, so that the head may be killed: the
same command finds those that are at work.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.plugin.executed import JobState, Task, Workers
from ganbench.record.events import CellEvent, Pictured
from ganbench.record.tasks import Job, Tasks
from ganbench.run.executors.followed import FollowedTask
from ganbench.run.observer import RunObserver, TaskCounts
from ganbench.run.parts import copy_kept

G = TypeVar("G")
T = TypeVar("T")
#: Seconds between two looks at the journals, at least and at most; between them, so many times as a look takes.
POLL, LONGEST, REST = 0.5, 10.0, 4.0
#: So often a task that was lost is submitted again.
AGAIN = 3
#: Seconds for which a job that is over may still have finished: a disk of the network shows late what was written.
SETTLES = 2.0
#: Seconds that a worker may take to end when its task has finished.
ENDS = 30.0
#: Seconds after which a job that runs must have written something, and between two looks at that; and after which it is
#: told that all jobs wait.
SILENT = 45.0


class TasksLostError(RuntimeError):
    """Tasks were lost as often as they may be: a line for each, and how to go on."""


class CancelledError(RuntimeError):
    """``ganbench cancel`` has asked to end the run's tasks."""


@dataclass
class _Tried:
    """A task that has not finished: its job, if one is at work.

    ``over``: since when that is over; ``look``: when its log is looked at next; ``said``: whether of that was told.
    """

    task: FollowedTask
    job: Job | None = None
    attempts: int = 0
    given_up: bool = False
    over: float | None = None
    look: float | None = None
    said: bool = False


@dataclass
class Head:
    """The head at work on a run that it has locked; ``executor``: the name of what the ``workers`` are of."""

    tasks: Tasks
    followed: Sequence[FollowedTask]
    workers: Workers
    executor: str
    observer: RunObserver
    _tried: dict[int, _Tried] = field(default_factory=dict, init=False)
    _states: Mapping[str, JobState] = field(default_factory=dict, init=False)
    _asked: float = field(default=float("-inf"), init=False)
    _queued: float | None = field(default=None, init=False)

    def work(self) -> None:
        """Have all tasks trained.

        Raises TasksLostError where tasks were given up, CancelledError where that was asked for, ValueError where the
        executor fails.
        """
        self._tried = {one.shard.index: _Tried(one) for one in self.followed if not one.finished}
        self._find_jobs()
        while waited := [one for one in self._tried.values() if not one.task.finished and not one.given_up]:
            began = time.monotonic()
            for one in waited:
                for event in one.task.news():
                    self._tell(one.task, event)
            took = time.monotonic() - began
            if self.tasks.cancelled:
                self.tasks.cancel(asked=False)  # by which `cancel` knows that a head was at work
                raise CancelledError(f"{self.tasks.run.path} was cancelled; the same command goes on from here")
            waited = [one for one in waited if not one.task.finished]
            self._look(waited)
            self._submit([one for one in waited if one.job is None and not one.given_up])
            self.observer.counted(self._counts())
            if waited:
                time.sleep(max(POLL, min(LONGEST, REST * took)))
        self._let_end()
        if lost := [one for one in self._tried.values() if one.given_up]:
            lines = [
                f"{one.task.name} was given up: see {self.tasks.path}/{one.task.shard.index}.*.log" for one in lost
            ]
            done = f"{len(self.followed) - len(lost)} of {len(self.followed)} tasks are done and kept"
            raise TasksLostError("\n".join([*lines, f"{done}; the same command tries the others again"]))

    def stop(self) -> int:
        """Stop the jobs that are at work; returns how many there were."""
        jobs = [one.job.name for one in self._tried.values() if one.job and not one.task.finished]
        live = [*self._call("states", self.workers.states, jobs)] if jobs else []
        if live:
            self._call("stop", self.workers.stop, live)
        return len(live)

    def _let_end(self) -> None:
        """Give the workers of tasks that have finished a moment to end: they still have files of theirs open."""
        jobs = [one.job.name for one in self._tried.values() if one.job]
        until = time.monotonic() + ENDS
        while jobs and time.monotonic() < until:
            states = self._call("states", self.workers.states, jobs)
            jobs = [job for job in jobs if job in states]
            if jobs:
                time.sleep(max(POLL, self.workers.every))

    def _find_jobs(self) -> None:
        """Take up the jobs of an earlier head that are not over."""
        earlier = {number: job for number, job in self.tasks.jobs().items() if number in self._tried}
        names = [job.name for job in earlier.values()]
        self._states = self._call("states", self.workers.states, names) if names else {}
        for number, job in earlier.items():
            if job.name in self._states:
                self._tried[number].job = job
                self._tried[number].attempts = 1
        if found := sum(one.job is not None for one in self._tried.values()):
            what = (
                "1 task that was submitted before is" if found == 1 else f"{found} tasks that were submitted before are"
            )
            self.observer.note(f"{what} still at work, and not submitted again")

    def _tell(self, task: FollowedTask, event: CellEvent) -> None:
        if isinstance(event, Pictured) and task.folder:
            copy_kept(task.folder.path, self.tasks.run.path, ("pictures",))
        self.observer.tell(event)

    def _look(self, waited: Iterable[_Tried]) -> None:
        """Find the jobs that are over, those that run without a word, and whether all of them wait."""
        at_work = [(one, one.job) for one in waited if one.job]
        now = time.monotonic()
        if at_work and now >= self._asked + self.workers.every:
            self._states = self._call("states", self.workers.states, [job.name for _, job in at_work])
            self._asked = now
        for one, job in at_work:
            if job.name not in self._states:
                one.over = one.over or now
                if now >= one.over + SETTLES:
                    for event in one.task.news(closely=True):
                        self._tell(one.task, event)
                    if not one.task.finished:
                        self._lost(one, job)
                continue
            one.over = None
            if self._states[job.name] == "running":
                if one.look is not None and now >= one.look and not one.said:
                    self._look_at_log(one, job)
                if one.look is None or now >= one.look:
                    one.look = now + SILENT
        self._look_at_queue([job for _, job in at_work], now)

    def _look_at_queue(self, jobs: Sequence[Job], now: float) -> None:
        """Tell, once, that that no job is at work: perhaps nothing has what they ask for, and they wait forever."""
        if not jobs or any(self._states.get(job.name) != "waiting" for job in jobs):
            self._queued = None
            return
        self._queued = now if self._queued is None else self._queued
        if now >= self._queued + SILENT:
            self._queued = float("inf")
            wait = "1 task waits" if len(jobs) == 1 else f"{len(jobs)} tasks wait"
            self.observer.note(f"{wait} in the queue of {self.executor!r}, and none is at work")

    def _look_at_log(self, one: _Tried, job: Job) -> None:
        """Tell, once, that a job that runs does not train."""
        ending = self.tasks.ending(job)
        one.said = True
        if ending is None:
            self.observer.note(f"{one.task.name} runs, and {self._nothing()}")
        elif ending.how == "waits":
            self.observer.note(f"{one.task.name} waits: {ending.why}")
        else:
            one.said = False

    def _nothing(self) -> str:
        return f"has written nothing into {self.tasks.run.path}: can its machine see that folder?"

    def _lost(self, one: _Tried, job: Job) -> None:
        """A job is over and its task has not finished: whether it is tried again, and why not."""
        ending = self.tasks.ending(job)
        refused = ending is not None and ending.how == "refused"
        one.job = one.over = one.look = None
        one.said = False
        one.given_up = refused or one.attempts > AGAIN
        why = f"it {self._nothing()}" if ending is None else "" if ending.how == "waits" else ending.why
        why = why or "it was ended without a word: killed, or out of memory"
        then = "it is given up" if one.given_up else f"it is submitted again ({one.attempts} of {AGAIN})"
        self.observer.note(f"{one.task.name} {'was refused' if refused else 'was lost'}: {why}; {then}")

    def _submit(self, ready: Sequence[_Tried]) -> None:
        """Start as many tasks as there is room for."""
        live = [one.job for one in self._tried.values() if one.job and not one.task.finished]
        room = len(ready) if self.workers.room is None else max(0, self.workers.room - len(live))
        if any(job.alone for job in live) and not self.workers.alone:
            room = 0  # a job that counts on having its machine to itself gets no company
        if not (chosen := {one.task.shard.index: one for one in ready[:room]}):
            return
        earlier = self.tasks.jobs()
        attempts = {number: earlier[number].attempt + 1 if number in earlier else 1 for number in chosen}
        tasks = [Task(number, self._command(number, attempt)) for number, attempt in attempts.items()]
        given = self._call("submit", self.workers.submit, tasks)
        for number, name in given.items():
            if number in chosen and isinstance(name, str):
                chosen[number].job = job = Job(number, attempts[number], name, self.workers.alone)
                self.tasks.add_job(job)
                chosen[number].attempts += 1
        self._asked = float("-inf")
        if wrong := next(_wrong(chosen, given), ""):
            raise ValueError(f"executor {self.executor!r} failed at submit: submit() {wrong}")

    def _command(self, number: int, attempt: int) -> tuple[str, ...]:
        words = (sys.executable, "-m", "ganbench.cli.task", str(self.tasks.run.path.resolve()), str(number))
        return (*words, str(attempt), *(("--alone",) if self.workers.alone else ()))

    def _call(self, what: str, method: Callable[[Sequence[G]], T], given: Sequence[G]) -> T:
        try:
            return method(given)
        except BaseException as error:
            raise_if_stopped(error)
            raise ValueError(f"executor {self.executor!r} failed at {what}: {error_line(error)}") from error

    def _counts(self) -> TaskCounts:
        states = Counter(self._state(one) for one in self._tried.values())
        again = sum(max(0, one.attempts - 1) for one in self._tried.values())
        done = len(self.followed) - len(self._tried) + states["done"]
        return TaskCounts(done, states["running"], states["waiting"], states["lost"], again)

    def _state(self, one: _Tried) -> str:
        if one.task.finished:
            return "done"
        if one.given_up:
            return "lost"
        return self._states.get(one.job.name, "waiting") if one.job else "waiting"


def _wrong(chosen: Mapping[int, _Tried], given: Mapping[int, object]) -> Iterator[str]:
    """What is wrong with the jobs that an executor gave for the tasks that it was given: else some would be lost."""
    for number in chosen:
        if number not in given:
            yield f"gave no job for task {number}"
        elif not isinstance(given[number], str):
            yield f"must give a text for task {number}, not {given[number]!r}"
    yield from (f"gave a job for task {number}, which it was not given" for number in given if number not in chosen)
