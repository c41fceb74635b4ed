"""How far a cell is, and its results so far."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ganbench.plugin.column import Column, find
from ganbench.record.events import (
    CellEnded,
    CellEvent,
    CellMeasured,
    CellStarted,
    Evaluated,
    SeedOutcome,
    SeedRow,
    failed_metric,
)
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.report.numbers import common
from ganbench.run.observer import CellNoted, CellProgressed, PlannedCell


@dataclass(eq=False)
class Progress:
    """How far a cell is, collected from its events.

    Its contents are replaced, never changed, so that a view may read it from another thread.
    """

    cell: PlannedCell
    columns: Sequence[Column] = ()
    step: int = 0
    running: bool = False
    ended: bool = False
    rows: dict[int, SeedRow] = field(default_factory=dict)
    outcomes: dict[Status, int] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()

    @classmethod
    def so_far(cls, cells: Sequence[PlannedCell], record: Record) -> dict[str, Progress]:
        """The cells by id, each as far as an earlier attempt at the run has brought it."""
        known = {cell.id: cell for cell in record.cells}
        progress = {cell.id: cls(cell, record.columns) for cell in cells}
        for name, one in progress.items():
            for step, rows in sorted(known[name].evaluations.items()):
                one.take(Evaluated(name, step, tuple(rows.values())))
            if known[name].ended:
                one.take(CellEnded(name, tuple(known[name].outcomes.values())))
        return progress

    def take(self, event: CellEvent | CellNoted | CellProgressed) -> list[str]:
        """Add an event of the cell; return a line for each metric that has failed now, and had not before.

        A seed that diverged keeps its last row, which still counts.
        """
        told: tuple[str, ...] = ()
        match event:
            case CellStarted():
                self.running = True
            case CellMeasured():
                told = event.failed
            case CellProgressed():
                self.step = event.step
            case Evaluated():
                told = tuple(line for row in event.rows for line in row.failed)
                self.step = max(self.step, event.step)
                self.rows = {**self.rows, **{row.seed: row for row in event.rows}}
            case CellEnded():
                self.running, self.ended = False, True
                self.outcomes = dict(Counter(outcome.status for outcome in event.seeds))
        new = {failed_metric(line): line for line in reversed(told) if failed_metric(line) not in self.failing}
        self.failing |= new.keys()
        return [*new.values()]

    @property
    def work(self) -> int:
        """The model-steps of the cell; at least 1, so that a cell that does not train counts too."""
        return max(1, self.cell.steps * len(self.cell.seeds))

    @property
    def done(self) -> int:
        """The model-steps that have been trained."""
        return self.work if self.ended else min(self.step, self.cell.steps) * len(self.cell.seeds)

    @property
    def failed(self) -> bool:
        """Whether a seed ended without a result."""
        return not all(status.measured for status in self.outcomes)

    @property
    def troubles(self) -> str:
        """The number of seeds by what went wrong, e.g. ``2 diverged``; empty where nothing did."""
        counts = self.outcomes
        if not self.ended and (diverged := sum(row.status is Status.DIVERGED for row in self.rows.values())):
            counts = {Status.DIVERGED: diverged}
        return ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in counts.items() if status is not Status.DONE)

    def headline(self) -> list[tuple[str, str]]:
        """Medians over the seeds so far: the primary number and the modes, or the first two numbers without these."""
        named = {name for row in list(self.rows.values())[:1] for name in row.values}
        known = [column for column in self.columns if column.name in named]
        best, covered = find(known, "primary"), find(known, "covered")
        numbers = []
        for column in [column for column in (best, covered) if column] or known[:2]:
            value, total = self._median(column), self._median(find(known, "total", column.name))
            if value is None:
                continue
            # A primary number near 0 has the same decimals as others, so that its length does not change all the time.
            text = common([value, column.thresholds.settled] if column.thresholds else [value])(value)
            name = column.label if column == covered else column.name
            numbers.append((name, text if total is None else f"{text}/{total:.0f}"))
        return numbers

    def _median(self, column: Column | None) -> float | None:
        values = [row.values.get(column.name) for row in self.rows.values()] if column else []
        numbers = [float(value) for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
        return statistics.median(numbers) if numbers else None


def reasons(seeds: Sequence[SeedOutcome]) -> list[str]:
    """A line for each way in which seeds failed, e.g. ``16 seeds error: out of paper``; nothing where none did."""
    failed = [(seed.status, seed.message) for seed in seeds if not seed.status.measured]
    lines = []
    for status, message in dict.fromkeys(failed):
        count = failed.count((status, message))
        what = f"{count} {'seed' if count == 1 else 'seeds'} {status.replace('_', ' ')}"
        lines.append(f"{what}: {message}" if message else what)
    return lines
