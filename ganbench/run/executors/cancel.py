"""Stop the tasks of a run from another process than its head, whether that is at work or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ganbench.record.folder import RunFolder, RunLockedError
from ganbench.record.tasks import Tasks
from ganbench.run.executors.executed import build_workers
from ganbench.suite.choice import Choice

#: Seconds for a head to stop its tasks and go.
PATIENCE = 30.0


class Cancelled(NamedTuple):
    """How many jobs this process has stopped, and whether a head was at work, which has stopped the others."""

    jobs: int
    head: bool


def cancel(run: RunFolder, executor: Choice) -> Cancelled:
    """Stop the tasks of a run.

    Where a head is at work on the run, it stops them, and ends; else this process does.

    Args:
        run: The run.
        executor: That of its tasks.

    Returns:
        What was at work.

    Raises:
        RunLockedError: A head was asked to stop, and has not done so yet.
        ValueError: The executor cannot work here, or the run has finished meanwhile.
    """
    tasks = Tasks(run)
    with _free(tasks) as head:
        if not tasks.there:
            raise ValueError(f"{run.path}: has finished meanwhile")
        plan = tasks.plan()
        workers = build_workers(executor, run, plan.workers, plan.devices)
        live = [*workers.states([job.name for job in tasks.jobs().values()])]
        if live:
            workers.stop(live)
        tasks.cancel(asked=False)
    return Cancelled(len(live), head)


@contextmanager
def _free(tasks: Tasks) -> Iterator[bool]:
    """Ask the head of a run to end, and lock the run as soon as it lets it go; yields whether there was one."""
    until, head = time.monotonic() + PATIENCE, False
    while True:
        try:
            with suppress(FileNotFoundError):  # it has finished, and its tasks are removed
                tasks.cancel(asked=True)  # each time: a head that has just begun takes back what was asked before
            lock = tasks.run.lock()
            lock.__enter__()
            break
        except RunLockedError:
            head = True
            if time.monotonic() > until:
                raise
    try:
        yield head or not tasks.cancelled
    finally:
        lock.__exit__(None, None, None)
