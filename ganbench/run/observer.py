"""Those who watch a run, and what the runner tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from ganbench.record.record import Record

Row = Mapping[str, Any]


class PlannedCell(Protocol):
    """What an observer has to know of a cell of the plan."""

    @property
    def id(self) -> str:
        """What the journal calls it."""
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
        """The generator steps each seed trains; 0 for the oracle."""
        ...


class Observer:
    """Watches a run, and says nothing: the quiet one, and the base of those who speak.

    A context that is open while the run goes on.
    """

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """The run begins; ``cells``: all that are planned, in order; ``record``: what an earlier attempt has done."""

    def cell_started(self, cell: PlannedCell, engine: str, note: str = "") -> None:
        """A cell begins to train; ``note``: what is to be known about how, e.g. why seed by seed."""

    def progress(self, cell: PlannedCell, step: int) -> None:
        """The cell has trained ``step`` steps; may be told as often as one likes."""

    def evaluated(self, cell: PlannedCell, step: int, rows: Sequence[Row]) -> None:
        """The cell was measured; ``rows``: as in the journal, one a seed, each with seed, status and numbers."""

    def cell_ended(self, cell: PlannedCell, seeds: Sequence[Row]) -> None:
        """The cell is over; ``seeds``: as in the journal, each with seed, status, step and message."""

    def finished(self) -> None:
        """The run is over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass
