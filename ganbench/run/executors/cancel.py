"""Stop the tasks of a run from another process than its head, whether that is at work or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ganbench.record.folder import RunFolder, RunLockedError
from ganbench.record.tasks import Tasks
from ganbench.run.executors.executed import build_workers
from ganbench.suite.choice import Choice

#: Seconds for a head to stop its tasks and go.
PATIENCE = 30.0


def cancel(run: RunFolder, executor: Choice) -> int:
    """Stop the tasks of a run.

    Where a head is at work on the run, it stops them, and ends; else this process does.

    Args:
        run: The run.
        executor: That of its tasks.

    Returns:
        How many jobs this process has stopped.

    Raises:
        RunLockedError: A head was asked to stop, and has not done so yet.
        ValueError: The executor cannot work here.
    """
    tasks = Tasks(run)
    tasks.cancel(asked=True)
    with _free(run):
        plan = tasks.plan()
        workers = build_workers(executor, run, plan.workers, plan.devices)
        live = [*workers.states([job.name for job in tasks.jobs().values()])]
        if live:
            workers.stop(live)
        tasks.cancel(asked=False)
    return len(live)


@contextmanager
def _free(run: RunFolder) -> Iterator[None]:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            lock = run.lock()
            lock.__enter__()
            break
        except RunLockedError:
            if time.monotonic() > until:
                raise
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
