"""What an executor is given, and what it must do: start tasks, say which of them are at work, and stop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

#: Of a job that is not over.
JobState = Literal["waiting", "running"]
METHODS = ("submit", "states", "stop")


@dataclass(frozen=True)
class Task:
    """A part of a run: its ``number``, from 1, and the ``command`` that trains it, on any machine that sees the run.

    The command starts again from what is kept where it was ended. It writes into the run's folder, its log too.
    """

    number: int
    command: tuple[str, ...]


class Workers(Protocol):
    """What an executor's ``build`` returns. A job is a text that names what was started, to another process too."""

    @property
    def room(self) -> int | None:
        """How many jobs may be at work at a time; None where what takes them has a queue of its own."""
        ...

    @property
    def alone(self) -> bool:
        """Whether each job has its machine to itself, so that what its clocks measure is true."""
        ...

    @property
    def every(self) -> float:
        """The seconds between two calls of ``states``."""
        ...

    def submit(self, tasks: Sequence[Task]) -> Mapping[int, str]:
        """Start the command of each task; the jobs, by the tasks' numbers."""
        ...

    def states(self, jobs: Iterable[str]) -> Mapping[str, JobState]:
        """Which of these jobs wait or run. One that is over, in whatever way, is left out."""
        ...

    def stop(self, jobs: Iterable[str]) -> None:
        """End these jobs, as far as they are not over."""
        ...


def check_workers(name: str, built: object) -> None:
    """Raise ValueError where what the executor ``name`` has built lacks something."""
    for method in METHODS:
        if not callable(getattr(built, method, None)):
            raise ValueError(f"executor {name!r}: build() returned {type(built).__name__}, which has no {method}()")
    for attribute in ("room", "alone", "every"):
        if not hasattr(built, attribute):
            raise ValueError(f"executor {name!r}: build() returned {type(built).__name__}, which has no {attribute}")
