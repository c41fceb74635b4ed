"""Properties of an executor: it runs a command to its end, knows when that is over, and stops one that is at work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import bind
from ganbench.plugin.executed import JobState, Task, Workers, check_workers
from ganbench.plugin.observed import NotInstalledError, check_installed
from ganbench.testing.result import Property, Subject, WrongError

#: Seconds that a job may take to begin, or to be over.
PATIENCE = 120.0
_WRITES = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('done')"
_SLEEPS = "import time; time.sleep(600)"


def runs_to_the_end(subject: Subject) -> None:
    """Two tasks, one after the other where there is room for one: what they write is there when they are over."""
    with _built(subject) as (workers, folder):
        for number in (1, 2):
            file = folder / f"{number}.txt"
            job = _submitted(workers, Task(number, (sys.executable, "-c", _WRITES, str(file))))
            _wait(workers, job, None, "is over and counts as at work")
            if not file.exists():
                raise WrongError("a job is over, and its command was not run to its end")


def stops(subject: Subject) -> None:
    """A job that is at work, and is stopped."""
    with _built(subject) as (workers, _):
        job = _submitted(workers, Task(1, (sys.executable, "-c", _SLEEPS)))
        _wait(workers, job, "running", "was submitted, and does not begin")
        workers.stop([job])
        _wait(workers, job, None, "was stopped, and counts as at work")


PROPERTIES = (
    Property("a command is run to its end", runs_to_the_end, everywhere=False),
    Property("a job is stopped", stops, everywhere=False),
)


@contextmanager
def _built(subject: Subject) -> Iterator[tuple[Workers, Path]]:
    try:
        check_installed(subject.entry)
    except NotInstalledError as lacking:
        raise NotApplicableError(str(lacking)) from None
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folder = Path(home) / "suite" / "run"
        (folder / "tasks").mkdir(parents=True)
        given = {"run": folder, "workers": 1, "devices": ("cpu",)}
        try:
            built = bind(subject.value.build, subject.parameters)(given)
        except ValueError as lacking:
            raise NotApplicableError(str(lacking)) from None
        try:
            check_workers(subject.entry.name, built)
        except ValueError as wrong:
            raise WrongError(str(wrong)) from None
        yield cast(Workers, built), folder


def _submitted(workers: Workers, task: Task) -> str:
    jobs = workers.submit([task])
    job = jobs.get(task.number)
    if not isinstance(job, str):
        raise WrongError(f"submit() must return a text for task {task.number}, not {job!r}")
    return job


def _wait(workers: Workers, job: str, state: JobState | None, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while workers.states([job]).get(job) != state:
        if time.monotonic() > until:
            raise WrongError(f"a job {what}, after {PATIENCE:.0f} s")
        time.sleep(max(0.05, workers.every))
