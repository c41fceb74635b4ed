"""What run.json and the journal hold of one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench.core.expectation import Expectation
from ganbench.plugin.column import Column
from ganbench.record.events import (
    CellEnded,
    CellEvent,
    CellMeasured,
    CellStarted,
    Evaluated,
    Pictured,
    SeedOutcome,
    SeedRow,
    failed_metric,
)
from ganbench.record.status import Status
from ganbench.record.told import told
from ganbench.record.verdict import Verdict, verdict

#: The values of a row, by the column's name.
Row = Mapping[str, Any]


@dataclass
class CellRecord:
    """What run.json and the journal hold of one cell.

    ``evaluations`` maps a step to the rows of the seeds measured at it; ``outcomes`` is empty until the cell has ended.
    ``reference``: nothing was trained, as for the data. ``replicas``, ``chunk``, ``host``, ``device``,
    ``disturbed``: see ``CellStarted``. ``family``: the variant of which a sweep has made this setting.
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
    replicas: int = 0
    chunk: int = 0
    host: str = ""
    device: str = ""
    disturbed: str = ""
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
                self.replicas, self.chunk = event.replicas, event.chunk
                self.host, self.device, self.disturbed = event.host, event.device, event.disturbed
            case CellMeasured():
                check_planned("column", event.values, known)
                self.speed, self.unmeasured = told(event.values, columns), event.failed
            case Evaluated():
                check_planned(f"seed of cell {self.id}", (row.seed for row in event.rows), self.seeds)
                for row in event.rows:
                    check_planned("column", row.values, known)
                self.evaluations[event.step] = {
                    row.seed: replace(row, values=told(row.values, columns)) for row in event.rows
                }
            case Pictured():
                self.pictures[event.step] = event
            case CellEnded():
                check_planned(f"seed of cell {self.id}", (outcome.seed for outcome in event.seeds), self.seeds)
                self.outcomes = {outcome.seed: outcome for outcome in event.seeds}


def check_planned(what: str, names: Iterable[Any], planned: Iterable[Any]) -> None:
    """Refuse names that the run does not plan.

    Args:
        what: What the names are of, for the message.
        names: The names.
        planned: Those that are planned.

    Raises:
        ValueError: One of the names is not planned.
    """
    for name in sorted(set(names) - set(planned), key=str):
        raise ValueError(f"the journal speaks of a {what} that run.json does not plan: {name!r}")
