"""Those who watch a run, and what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ganbench.record.events import CellEvent
from ganbench.record.record import Record


class PlannedCell(Protocol):
    """What an observer has to know of a cell of the plan."""

    @property
    def id(self) -> str:
        """What the events call it."""
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
    """The cell has trained ``step`` steps. An observer is told so, as often as one likes; the journal is not."""

    cell: str
    step: int


class Observer:
    """Watches a run, and says nothing: the quiet one, and the base of those who speak.

    It is a context that is open while the run goes on. What it raises ends the run.
    """

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """The run begins; ``cells``: all that are planned, in order; ``record``: what an earlier attempt has done."""

    def tell(self, event: CellEvent | CellProgressed) -> None:
        """Something has happened to a cell. Where the journal records it, it has done so."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass
