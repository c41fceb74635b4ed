"""A run as its run.json and journal describe it, cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench.core.expectation import Expectation
from ganbench.data.phases import first_step
from ganbench.plugin.column import Column, OlderFormatError, check_columns
from ganbench.record import journal
from ganbench.record.events import (
    CellEnded,
    CellEvent,
    CellMeasured,
    CellStarted,
    Evaluated,
    Event,
    Pictured,
    RunFinished,
    SeedOutcome,
    SeedRow,
    failed_metric,
)
from ganbench.record.folder import OLDER, RunFolder
from ganbench.record.run_json import check_run
from ganbench.record.status import Status
from ganbench.record.told import told
from ganbench.record.verdict import Verdict, verdict

#: The values of a row, by the column's name.
Row = Mapping[str, Any]


@dataclass
class CellRecord:
    """What run.json and the journal hold of one cell.

    ``evaluations`` maps a step to the rows of the seeds measured at it; ``outcomes`` is empty until the cell has ended.
    ``reference``: nothing was trained, as for the data. ``family``: the variant of which a sweep has made this setting.
    ``every``: after how many steps the seeds are evaluated, 0 where that is not known. ``expect``: what the suite
    expects of the row, see ``record.control``. ``turn``: the step at which data that change during training do so
    for the last time, 0 for other data. ``unmeasured``: a line for each metric that failed on the cell as a whole.
    ``pictures``: by step; none of them counts for a table.
    """

    id: str
    dataset: str
    variant: str
    seeds: tuple[int, ...]
    steps: int
    reference: bool
    family: str
    precision: str
    every: int = 0
    expect: Expectation | None = None
    turn: int = 0
    engine: str = ""
    note: str = ""
    evaluations: dict[int, dict[int, SeedRow]] = field(default_factory=dict)
    speed: Row = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()
    outcomes: dict[int, SeedOutcome] = field(default_factory=dict)
    pictures: dict[int, Pictured] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the cell has ended and is never run again."""
        return bool(self.outcomes)

    @property
    def planned(self) -> tuple[int, ...]:
        """The steps at which the cell is evaluated; empty where that is not known."""
        if self.reference or not self.every:
            return (0,) if self.every else ()
        return (*range(self.every, self.steps, self.every), self.steps)

    def counts(self, step: int) -> bool:
        """Whether an evaluation is of the data as they are at the end: what a verdict, or a hold, is made from."""
        return not self.turn or step > self.turn

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

    def verdict(self, seed: int, columns: Sequence[Column]) -> Verdict:
        """What happened to the seed, by the record's ``columns``; empty where it was not measured, or not trained."""
        status = self.outcome(seed).status
        if self.reference or not status.measured:
            return Verdict("", "")
        rows = [row.values for step, row in self.history(seed).items() if self.counts(step)]
        return verdict(rows, columns, diverged=status is Status.DIVERGED)

    def failures(self, seed: int) -> list[str]:
        """A line for each metric that failed on the seed, or on the cell, and at how many evaluations if not at all."""
        history = self.history(seed).values()
        counts = Counter(failed_metric(line) for row in history for line in row.failed)
        last = {failed_metric(line): line for row in history for line in row.failed}
        some = (
            line if counts[metric] == len(history) else f"{line} (at {counts[metric]} of {len(history)} evaluations)"
            for metric, line in last.items()
        )
        return [*self.unmeasured, *some]

    @property
    def failed_metrics(self) -> list[str]:
        """The first line of each metric that failed, on the cell or on a seed."""
        of_seeds = (line for rows in self.evaluations.values() for row in rows.values() for line in row.failed)
        return [*{failed_metric(line): line for line in reversed((*self.unmeasured, *of_seeds))}.values()]

    def add(self, event: CellEvent, columns: dict[str, Column]) -> None:
        """Add an event of this cell; it replaces an earlier event of the same kind (and step).

        Raises ValueError where it names a seed or a column that is not in the plan, or a value is not of its column's
        kind; ``columns``: those planned, by name.
        """
        known = columns.keys() | {"note"}
        match event:
            case CellStarted():
                self.engine, self.note = event.engine, event.note
            case CellMeasured():
                _planned("column", event.values, known)
                self.speed, self.unmeasured = told(event.values, columns), event.failed
            case Evaluated():
                _planned(f"seed of cell {self.id}", (row.seed for row in event.rows), self.seeds)
                for row in event.rows:
                    _planned("column", row.values, known)
                self.evaluations[event.step] = {
                    row.seed: replace(row, values=told(row.values, columns)) for row in event.rows
                }
            case Pictured():
                self.pictures[event.step] = event
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

    @property
    def failures(self) -> dict[str, list[str]]:
        """The first line of each metric that failed, with the cells that it failed on, as ``dataset variant``."""
        first: dict[str, str] = {}
        cells: dict[str, list[str]] = {}
        for cell in self.cells:
            for line in cell.failed_metrics:
                first.setdefault(failed_metric(line), line)
                cells.setdefault(failed_metric(line), []).append(f"{cell.dataset} {cell.variant}")
        return {line: cells[metric] for metric, line in first.items()}

    @classmethod
    def read(cls, folder: RunFolder) -> Record:
        """The record of a run on disk, finished or not.

        Raises ValueError, in one line, where the run is damaged or was made by an older ganbench.
        """
        run, events = folder.describe(), journal.read(folder.journal)
        try:
            record = cls.replay(run, events)
            check_run(run)
            return record
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
        for one in run["cells"]:
            for name in ("id", "dataset", "variant", "family"):
                if not isinstance(one[name], str):
                    raise ValueError(f"the {name} of a cell must be text, not {one[name]!r}")
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
                every=one.get("every", 0),
                expect=one.get("expect"),
                turn=_turn(run, one["dataset"], one["steps"]),
            )
            for one in run["cells"]
        }
        named = {column.name: column for column in columns}
        finished = False
        for event in events:
            if isinstance(event, RunFinished):
                finished = True
            else:
                _planned("cell", {event.cell}, cells.keys())
                cells[event.cell].add(event, named)
        return cls(run["run"], columns, tuple(cells.values()), finished)


def _turn(run: Mapping[str, Any], dataset: str, steps: int) -> int:
    """The step at which data change for the last time, by what run.json says of them; 0 where they do not."""
    # Older runs say it with the data's fingerprint alone.
    shares = run.get("phases", {}).get(dataset) or run.get("data", {}).get(dataset, {}).get("phases")
    return first_step(shares[-1], steps) if shares else 0


def _planned(what: str, names: Iterable[Any], planned: Iterable[Any]) -> None:
    for name in sorted(set(names) - set(planned), key=str):
        raise ValueError(f"the journal speaks of a {what} that run.json does not plan: {name!r}")
