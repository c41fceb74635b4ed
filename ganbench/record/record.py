"""A run as its run.json and journal describe it, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from ganbench.plugin.column import Column, OlderFormatError, check_columns
from ganbench.record import journal
from ganbench.record.events import (
    CellEnded,
    CellEvent,
    CellMeasured,
    CellStarted,
    Evaluated,
    Event,
    RunFinished,
    SeedOutcome,
    SeedRow,
)
from ganbench.record.folder import OLDER, RunFolder
from ganbench.record.status import Status

#: The values of a row, by the column's name.
Row = Mapping[str, Any]


@dataclass
class CellRecord:
    """What run.json and the journal hold of one cell.

    ``evaluations`` maps a step to the rows of the seeds measured at it; ``outcomes`` is empty until the cell has ended.
    ``reference``: nothing was trained, as for the data. ``family``: the variant of which a sweep has made this setting.
    """

    id: str
    dataset: str
    variant: str
    seeds: tuple[int, ...]
    steps: int
    reference: bool
    family: str
    precision: str
    engine: str = ""
    note: str = ""
    evaluations: dict[int, dict[int, SeedRow]] = field(default_factory=dict)
    speed: Row = field(default_factory=dict)
    outcomes: dict[int, SeedOutcome] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the cell has ended and is never run again."""
        return bool(self.outcomes)

    def history(self, seed: int) -> dict[int, SeedRow]:
        """The seed's rows by step, in order."""
        return {step: rows[seed] for step, rows in sorted(self.evaluations.items()) if seed in rows}

    def outcome(self, seed: int) -> SeedOutcome:
        """How the seed ended; where the journal has no end of it, status lost at its last evaluation."""
        return self.outcomes.get(seed) or SeedOutcome(seed, Status.LOST, max(self.history(seed), default=0))

    def result(self, seed: int) -> Row | None:
        """The seed's last row, which seeds.csv and table.csv show; None where the seed was not measured."""
        history = self.history(seed)
        return history[max(history)].values if history and self.outcome(seed).status.measured else None

    def add(self, event: CellEvent, columns: Set[str]) -> None:
        """Add an event of this cell; it replaces an earlier event of the same kind (and step).

        Raises ValueError where it names a seed or a column that is not in the plan; ``columns``: the names of those
        planned.
        """
        match event:
            case CellStarted():
                self.engine, self.note = event.engine, event.note
            case CellMeasured():
                _planned("column", event.values, columns | {"note"})
                self.speed = event.values
            case Evaluated():
                _planned(f"seed of cell {self.id}", (row.seed for row in event.rows), self.seeds)
                for row in event.rows:
                    _planned("column", row.values, columns | {"note"})
                self.evaluations[event.step] = {row.seed: row for row in event.rows}
            case CellEnded():
                _planned(f"seed of cell {self.id}", (outcome.seed for outcome in event.seeds), self.seeds)
                self.outcomes = {outcome.seed: outcome for outcome in event.seeds}


@dataclass(frozen=True)
class Record:
    """A run: the columns its metrics fill and its cells, in the order planned."""

    name: str
    columns: tuple[Column, ...]
    cells: tuple[CellRecord, ...]
    finished: bool

    @property
    def swept(self) -> bool:
        """Whether a variant was run in several settings."""
        return len({(cell.dataset, cell.family) for cell in self.cells}) < len(self.cells)

    @classmethod
    def read(cls, folder: RunFolder) -> Record:
        """The record of a run on disk, finished or not.

        Raises ValueError, in one line, where the run is damaged or was made by an older ganbench.
        """
        run, events = folder.describe(), journal.read(folder.journal)
        try:
            return cls.replay(run, events)
        except KeyError as error:
            raise ValueError(f"{folder.path}: its run.json has no {error}: {OLDER}") from error
        except ValueError as error:
            raise ValueError(f"{folder.path}: {error}") from None
        except (AttributeError, LookupError, TypeError) as error:
            raise ValueError(f"{folder.path}: its run.json is damaged: {error!r}") from error

    @classmethod
    def replay(cls, run: Mapping[str, Any], events: Iterable[Event]) -> Record:
        """The record that follows from the plan in ``run`` (the content of run.json) and the events.

        A later event replaces an earlier one about the same. Raises ValueError where an event names a cell, a seed or a
        column that is not in the plan, and KeyError where the plan lacks a key that this ganbench writes.
        """
        try:
            columns = tuple(map(Column.from_json, run["columns"]))
        except OlderFormatError as problem:
            raise ValueError(f"{problem}: run it again") from None
        check_columns(columns)
        cells = {
            one["id"]: CellRecord(
                id=one["id"],
                dataset=one["dataset"],
                variant=one["variant"],
                seeds=tuple(one["seeds"]),
                steps=one["steps"],
                reference=one["reference"],
                family=one["family"],
                precision=one["precision"],
            )
            for one in run["cells"]
        }
        names = {column.name for column in columns}
        finished = False
        for event in events:
            if isinstance(event, RunFinished):
                finished = True
            else:
                _planned("cell", {event.cell}, cells.keys())
                cells[event.cell].add(event, names)
        return cls(run["run"], columns, tuple(cells.values()), finished)


def _planned(what: str, names: Iterable[Any], planned: Iterable[Any]) -> None:
    for name in sorted(set(names) - set(planned), key=str):
        raise ValueError(f"the journal speaks of a {what} that run.json does not plan: {name!r}")
