"""Observers of a run, and what they receive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import pandas as pd

from ganbench.record.events import CellEvent
from ganbench.record.record import Record


class PlannedCell(Protocol):
    """What an observer needs of a cell of the plan."""

    @property
    def id(self) -> str:
        """The name of the cell in events."""
        ...

    @property
    def dataset(self) -> str:
        """The name of its dataset in the suite."""
        ...

    @property
    def variant(self) -> str:
        """The name of its variant in the suite."""
        ...

    @property
    def seeds(self) -> Sequence[int]:
        """Its seeds."""
        ...

    @property
    def steps(self) -> int:
        """The generator steps each seed trains; 0 for a reference."""
        ...


@dataclass(frozen=True)
class CellProgressed:
    """The cell has trained ``step`` steps. It goes to observers, at any interval, and not into the journal."""

    cell: str
    step: int


@dataclass(frozen=True)
class CellNoted:
    """A line about the cell that a person should know, and that changes nothing in the tables: not for the journal."""

    cell: str
    text: str


class TaskCounts(NamedTuple):
    """How many tasks of a run are done, running, waiting and given up; ``again``: how often one was submitted again."""

    done: int
    running: int
    waiting: int
    lost: int
    again: int


class RunObserver:
    """Receives what happens in a run, and does nothing: the silent observer, and the base class of the others.

    It is a context that is open while the run goes on. An exception that it raises ends the run.
    """

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """The run begins; ``cells``: all that are planned, in order; ``record``: the results of an earlier attempt."""

    def tell(self, event: CellEvent | CellNoted | CellProgressed) -> None:
        """Something has happened to a cell. An event that belongs into the journal is already there."""

    def finished(self, table: pd.DataFrame) -> None:
        """Every cell has ended and the tables are written; ``table``: the content of table.csv."""

    def note(self, line: str) -> None:
        """There is something to know about the run as a whole."""

    def counted(self, tasks: TaskCounts) -> None:
        """So far are the tasks of a run that an executor trains; told at any interval."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass
