"""What a journal lacks of a cell: lines that were written, and are not there any more.

A journal cut, emptied or edited by hand, or by a disk that failed, would else give tables with fewer evaluations, and
verdicts made from these, without a word.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganbench.plugin.role import OF_CELL
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record
from ganbench.record.status import Status


def gap(cell: CellRecord, lasted: Mapping[int, int], until: int) -> str:
    """What the journal lacks of a cell that has trained, or of a reference; empty where it has all.

    Args:
        cell: The cell. Of one that an older ganbench planned the evaluations are not known: it lacks nothing.
        lasted: For each seed, the steps for which its numbers were finite: it is evaluated once more after that.
        until: The step up to which evaluations must be there.

    Returns:
        What is missing, as ``the evaluation at step 100``.
    """
    if not cell.planned:
        return ""
    if not cell.reference and not cell.engine:
        return "how it was started"
    before = 0
    for step in cell.planned:
        if step > until:
            break
        rows = cell.evaluations.get(step, {})
        if missing := [seed for seed, steps in lasted.items() if steps >= before and seed not in rows]:
            return f"the evaluation at step {step}" + (f" of seed {missing[0]}" if rows else "")
        before = step
    return ""


def gaps(record: Record) -> dict[str, str]:
    """What the journal lacks of each cell that has ended, by the cell's id; cells that lack nothing are left out."""
    timed = any(column.role in OF_CELL for column in record.columns)
    found = {cell.id: _of_ended(cell, timed) for cell in record.cells if cell.ended}
    return {name: lacking for name, lacking in found.items() if lacking}


def gap_lines(record: Record) -> list[str]:
    """A line for each cell that has ended and lacks something."""
    lacking = gaps(record)
    return [
        f"the journal lacks {lacking[cell.id]} of {cell.dataset} {cell.variant}"
        for cell in record.cells
        if cell.id in lacking
    ]


def _of_ended(cell: CellRecord, timed: bool) -> str:
    if missing := [seed for seed in cell.seeds if seed not in cell.outcomes]:
        return f"the end of seed {missing[0]}" if cell.planned else ""
    outcomes = cell.outcomes.values()
    if not all(outcome.status.measured for outcome in outcomes):
        # It failed at some step, and had been evaluated before; or before its start.
        return gap(cell, {}, 0) if cell.engine else ""
    lasted = {one.seed: cell.steps if one.status is Status.DONE else one.step - 1 for one in outcomes}
    if lacking := gap(cell, lasted, cell.steps):
        return lacking
    if cell.planned and timed and not cell.reference and not cell.speed and not cell.unmeasured:
        return "its speed and cost"
    return ""
