"""A run as its run.json and journal tell it, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganbench.plugin.column import Column, OlderFormatError, check_columns
from ganbench.record import journal
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Event
from ganbench.record.status import Status

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SeedOutcome:
    """How a seed ended: at which step, and what there is to say about it."""

    status: Status = Status.LOST
    step: int | None = None
    message: str = ""


@dataclass
class CellRecord:
    """What the journal says about one cell.

    ``evaluations`` maps a step to the rows of the seeds measured at it; ``outcomes`` is empty until the cell has ended.
    ``reference``: nothing was trained, as for the data. ``family``: the variant that a sweep has made this one of.
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
    evaluations: dict[int, dict[int, Row]] = field(default_factory=dict)
    speed: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[int, SeedOutcome] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the cell is over, and never to be run again."""
        return bool(self.outcomes)

    def history(self, seed: int) -> dict[int, Row]:
        """The seed's rows by step, in order."""
        return {step: rows[seed] for step, rows in sorted(self.evaluations.items()) if seed in rows}

    def outcome(self, seed: int) -> SeedOutcome:
        """How the seed ended; lost, at its last evaluation, where it did not."""
        return self.outcomes.get(seed) or SeedOutcome(step=max(self.history(seed), default=0))

    def result(self, seed: int) -> Row | None:
        """The row that counts in seeds.csv and table.csv: the last one; None where the seed was not measured."""
        history = self.history(seed)
        return history[max(history)] if history and self.outcome(seed).status.measured else None


@dataclass(frozen=True)
class Record:
    """A run: the columns its metrics fill and its cells, in the order planned."""

    name: str
    columns: tuple[Column, ...]
    cells: tuple[CellRecord, ...]
    finished: bool

    @property
    def swept(self) -> bool:
        """Whether there is a variant of several settings."""
        return len({(cell.dataset, cell.family) for cell in self.cells}) < len(self.cells)

    @classmethod
    def read(cls, folder: RunFolder) -> Record:
        """The record of a run on disk, finished or not. Raises ValueError, in one line, where it was damaged."""
        run, events = folder.describe(), journal.read(folder.journal)
        try:
            return cls.replay(run, events)
        except ValueError as error:
            raise ValueError(f"{folder.path}: {error}") from None
        except (AttributeError, LookupError, TypeError) as error:
            raise ValueError(f"{folder.path}: its run.json and journal.jsonl do not fit together: {error!r}") from error

    @classmethod
    def replay(cls, run: Mapping[str, Any], events: Iterable[Event]) -> Record:
        """What the events make of the plan in ``run`` (the content of run.json).

        What was said twice counts as it was said last; events of unknown kinds are left to those who know them.
        Raises ValueError where an event speaks of a cell, a seed or a column that is not in the plan.
        """
        try:
            columns = tuple(map(Column.from_json, run["columns"]))
        except OlderFormatError as problem:
            raise ValueError(f"{problem}: run it again") from None
        check_columns(columns)
        cells = {
            one["id"]: CellRecord(
                one["id"],
                one["dataset"],
                one["variant"],
                tuple(one["seeds"]),
                one["steps"],
                one["reference"],
                one["family"],
                one["precision"],
            )
            for one in run["cells"]
        }
        names = {column.name for column in columns}
        finished = False
        for event in events:
            kind = event.get("event")
            finished = finished or kind == "finished"
            if kind in _TELL:
                _planned("cell", {event["cell"]}, cells.keys())
                _TELL[kind](cells[event["cell"]], event, names)
        return cls(run["run"], columns, tuple(cells.values()), finished)


def _start(cell: CellRecord, event: Event, columns: set[str]) -> None:
    cell.engine, cell.note = event["engine"], event["note"]


def _evaluation(cell: CellRecord, event: Event, columns: set[str]) -> None:
    rows: dict[int, Row] = {
        row["seed"]: {name: value for name, value in row.items() if name != "seed"} for row in event["rows"]
    }
    _planned(f"seed of cell {cell.id}", rows.keys(), cell.seeds)
    for row in rows.values():
        _planned("column", row.keys(), columns | {"status", "note"})
    cell.evaluations[event["step"]] = rows


def _speed(cell: CellRecord, event: Event, columns: set[str]) -> None:
    _planned("column", event["values"].keys(), columns | {"note"})
    cell.speed = event["values"]


def _end(cell: CellRecord, event: Event, columns: set[str]) -> None:
    cell.outcomes = {
        one["seed"]: SeedOutcome(Status(one["status"]), one["step"], one["message"]) for one in event["seeds"]
    }
    _planned(f"seed of cell {cell.id}", cell.outcomes.keys(), cell.seeds)


_TELL = {"start": _start, "evaluation": _evaluation, "speed": _speed, "end": _end}


def _planned(what: str, said: Iterable[Any], planned: Iterable[Any]) -> None:
    for name in sorted(set(said) - set(planned), key=str):
        raise ValueError(f"the journal speaks of a {what} that run.json does not plan: {name!r}")
