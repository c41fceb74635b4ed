"""A run whose tasks an executor trains, from its plan to its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ganbench.core import streams
from ganbench.core.exits import exits_refused
from ganbench.core.shard import Shard
from ganbench.plugin.column import check_columns
from ganbench.plugin.executed import Workers, check_workers
from ganbench.plugin.observed import check_installed
from ganbench.record.folder import RunFolder
from ganbench.record.identity import identity_of, left_behind
from ganbench.record.record import Record
from ganbench.record.tasks import TaskPlan, Tasks
from ganbench.run.description import described_run, elsewhere
from ganbench.run.evaluate import bind_metrics
from ganbench.run.executors.followed import FollowedTask
from ganbench.run.executors.head import CancelledError, Head
from ganbench.run.merge import merge_tasks
from ganbench.run.observer import RunObserver
from ganbench.run.observers import Observers
from ganbench.run.run import RunResult, check_observers, result
from ganbench.suite.choice import Choice
from ganbench.suite.plan import Cell, batches, plan, shards
from ganbench.suite.suite import Suite

#: So many tasks each of the workers gets, where the user does not say into how many the run is cut.
EACH = 4


@dataclass(frozen=True)
class Execution:
    """Where and how the tasks of a run are trained; see ``record.tasks.TaskPlan``.

    ``tasks``: into how many the run is cut; None: see ``into``. ``detach``: whether the tasks are left at work when the
    head is stopped by Ctrl-C.
    """

    executor: Choice
    workers: int | None = None
    devices: tuple[str, ...] = ("auto",)
    tasks: int | None = None
    detach: bool = False


def run_elsewhere(
    suite: Suite, execution: Execution, *, out: Path, engine: str, command: Sequence[str], observer: RunObserver
) -> RunResult:
    """Run a suite by an executor, or continue the run of it that was stopped; the numbers are those of one process.

    Args:
        suite: The suite.
        execution: Where its tasks are trained.
        out: The folder of all suites' runs, which the workers must see too.
        engine: The engine, or ``auto``.
        command: The command line, which the workers read again.
        observer: Receives what happens, as the observers that the suite names do.

    Returns:
        The finished run.

    Raises:
        RunLockedError: Another process works on the run.
        TasksLostError: Tasks were lost too often.
        CancelledError: The run was cancelled meanwhile.
        OSError: The disk fails.
        ValueError: In one line: a package is missing, the executor fails, or the run on disk is damaged.
    """
    check_observers(suite)
    check_installed(execution.executor.entry)
    planned, metrics, suite_yaml = plan(suite), bind_metrics(suite.metrics), suite.to_yaml()
    check_columns(column for _, column in metrics.columns)
    with streams.kept(), exits_refused():
        about = described_run(
            suite, planned=planned, cells=planned, metrics=metrics, engine=engine, command=command, shard=None
        )
    executor = execution.executor
    about = elsewhere(about, execution.devices[0].partition(":")[0], executor.name) | {"executor": executor.plain()}
    identity, newest = identity_of(about, suite_yaml), RunFolder.newest(out, suite.name)
    with RunFolder.claim(out, suite.name, identity, suite_yaml, about) as folder:
        tasks, workers = Tasks(folder), build_workers(executor, folder, execution.workers, execution.devices)
        count = tasks.plan().count if tasks.there else into(len(batches(planned)), execution.tasks, workers.room)
        if execution.tasks not in (None, count):
            observer.note(f"the run is cut into {count} tasks, and stays so")
        parameters = {name: value for name, value in executor.plain().items() if name != "name"}
        where = (executor.name, parameters, execution.workers, execution.devices)
        tasks.plan(TaskPlan(count, tuple(command), str(Path.cwd()), *where))
        tasks.cancel(asked=False)
        followed = [
            FollowedTask(tasks, Shard(number, count), _name(number, count, cells))
            for number, cells in enumerate(shards(planned, count), 1)
        ]
        for one in followed:
            one.news()
        record = Record.read(folder)
        with Observers(observer, suite, planned, folder.path) as everyone:
            everyone.started(planned, record)
            for line in record.about:
                observer.note(line)
            if line := left_behind(newest, folder, about, suite_yaml):
                observer.note(line)
            head = Head(tasks, followed, workers, executor.name, everyone)
            with _stopped_with(head, observer, detach=execution.detach):
                head.work()
            table, notes = merge_tasks(folder, [one.folder for one in followed if one.folder])
            for line in notes:
                observer.note(line)
            everyone.finished(table)
    return result(folder, table)


def into(batches: int, asked: int | None, room: int | None) -> int:
    """Into how many tasks a run is cut.

    A worker imports torch for longer than a small cell trains, so each gets several batches where there are many: few
    enough that the last ones end at about one time. A queue has room for all, and knows better who is next.

    Args:
        batches: How many batches of cells it has, of which none is cut.
        asked: How many tasks the user wants; None: as here.
        room: How many of them may be at work at a time; None: the executor has a queue.

    Returns:
        The number of tasks.
    """
    most = EACH * room if room else batches
    return min(asked or most, batches)


def build_workers(executor: Choice, run: RunFolder, workers: int | None, devices: Sequence[str]) -> Workers:
    """What an executor builds for a run.

    Args:
        executor: The executor.
        run: The run.
        workers: How many tasks the user wants at a time; None: as the executor does.
        devices: The names of the devices.

    Returns:
        What starts and stops tasks.

    Raises:
        ValueError: It cannot work here, or its plugin is wrong.
    """
    built = executor.build(run=run.path.resolve(), workers=workers, devices=tuple(devices))
    check_workers(executor.name, built)
    return cast(Workers, built)


@contextmanager
def _stopped_with(head: Head, observer: RunObserver, *, detach: bool) -> Iterator[None]:
    """Where the head is stopped by Ctrl-C or by ``ganbench cancel``, stop its tasks too, or say that they go on."""
    try:
        yield
    except (KeyboardInterrupt, CancelledError) as stop:
        if detach and isinstance(stop, KeyboardInterrupt):
            observer.note("the tasks go on: the same command follows them again, and ganbench cancel RUN stops them")
        elif stopped := head.stop():
            observer.note("1 task was stopped" if stopped == 1 else f"{stopped} tasks were stopped")
        raise


def _name(number: int, count: int, cells: Sequence[Cell]) -> str:
    names = [f"{cell.dataset} {cell.variant}" for cell in cells[:2]]
    return f"task {number} of {count} ({', '.join(names)}{', ...' if len(cells) > 2 else ''})"
