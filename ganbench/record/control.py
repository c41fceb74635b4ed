"""Controls: rows of which a suite says beforehand how they end (``expect``). Where one does not, the run is void.

A row *fails* where at most a quarter of its planned seeds have the verdict ``converged``, and it *converges* where at
least three quarters have. A seed without a verdict, because it has no result or cannot be judged, may be either: a row
is as expected only where it is so however those seeds are taken.

It is a plain count and no test, so its errors are those of a binomial number. Of 16 seeds: a variant that converges
half of the time is taken for one that fails once in 26 runs; one that converges one time in 10 voids one run in 59.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganbench.core.expectation import Expectation
from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record


@dataclass(frozen=True)
class Control:
    """A row of which the suite expects something, and what became of its seeds.

    ``seeds``: how many were planned. ``unjudged``: how many have no verdict, by what is the matter.
    """

    dataset: str
    variant: str
    expect: Expectation
    seeds: int
    converged: int
    unjudged: Mapping[str, int]

    @property
    def bound(self) -> int:
        """How many seeds may converge where the row is to fail, and how many must where it is to converge."""
        return self.seeds // 4 if self.expect == "fails" else self.seeds - self.seeds // 4

    @property
    def as_expected(self) -> bool | None:
        """Whether the row ended as expected; None where the seeds without a verdict decide that."""
        ends = (self.converged, self.converged + sum(self.unjudged.values()))
        within = [count <= self.bound if self.expect == "fails" else count >= self.bound for count in ends]
        return within[0] if within[0] == within[1] else None

    @property
    def said(self) -> str:
        """What is expected and what happened: ``is expected to fail (at most 4 of 16 seeds converge), and ...``."""
        verb, may = ("fail", "at most {} of {}") if self.expect == "fails" else ("converge", "at least {} of {}")
        found = ", ".join(f"{count} {what}" for what, count in [("converged", self.converged), *self.unjudged.items()])
        unknown = "whether it does is not known: " if self.as_expected is None else ""
        seeds = may.format(self.bound, self.seeds)
        return f"is expected to {verb} ({seeds} seeds converge), and {unknown}{found}"

    @property
    def void(self) -> str:
        """Why the run is void, in one line; empty where the row ended as expected."""
        return "" if self.as_expected else f"the run is void: {self.dataset} {self.variant} {self.said}"


def control(cell: CellRecord, columns: Sequence[Column]) -> Control | None:
    """The control that a cell is; None where nothing is expected of it.

    Args:
        cell: The cell.
        columns: The record's columns.

    Returns:
        What is expected, and what happened.
    """
    if cell.expect is None:
        return None
    converged, unjudged, why = 0, Counter[str](), ""
    for seed in cell.seeds:
        status, found = cell.outcome(seed).status, cell.verdict(seed, columns)
        if not status.measured:
            unjudged[f"without a result ({status})"] += 1
        elif not found.word:
            why = why or f"without a verdict (seed {seed}: {found.reason or 'nothing was measured'})"
            unjudged[why] += 1
        elif found.word == "converged":
            converged += 1
    return Control(cell.dataset, cell.variant, cell.expect, len(cell.seeds), converged, dict(unjudged))


def controls(record: Record) -> tuple[Control, ...]:
    """The controls of a run, in its order; of one that has not finished, only those that can end in one way alone."""
    found = (control(cell, record.columns) for cell in record.cells)
    return tuple(one for one in found if one and (record.finished or one.as_expected is not None))


def as_object(found: Sequence[Control]) -> dict[str, Any]:
    """The controls as a JSON object has them, under ``controls``; nothing where there are none."""
    rows = [{**asdict(one), "as_expected": one.as_expected, "void": one.void} for one in found]
    return {"controls": rows} if rows else {}
