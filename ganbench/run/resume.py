"""From where a batch of cells goes on after a kill: its last checkpoint, if the journal has all that came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ganbench.core.disk import discard
from ganbench.record.cell_record import CellRecord
from ganbench.record.gaps import gap
from ganbench.suite.plan import Cell
from ganbench.train.checkpoint import load
from ganbench.train.step.step import State

#: What follows where a cell cannot go on; the numbers are the same.
AGAIN = "trained again from the start"


def resumed(
    cells: Sequence[Cell], path: Path, owner: str, start: State, known: Mapping[str, CellRecord]
) -> tuple[int, State, str]:
    """The step and the state from which a batch goes on.

    A checkpoint that is not what was written is not used, nor is one that is ahead of the journal: evaluations would be
    missing.

    Args:
        cells: The batch.
        path: Its checkpoint.
        owner: What the checkpoint must be of.
        start: The state before training.
        known: What the journal says of each cell, by its id.

    Returns:
        The step, the state after it, and why the batch starts again; empty where it goes on, or had not begun.
    """
    if not path.exists():
        return 0, start, ""
    step, state = load(path, start, owner) or (0, start)
    if step not in cells[0].evaluations[:-1]:
        discard(path)  # a folder could not be replaced
        return 0, start, f"its checkpoint is not what was written: {AGAIN}"
    survived = state.survived.tolist()
    for at, cell in enumerate(cells):
        lasted = dict(zip(cell.seeds, survived[at * len(cell.seeds) :], strict=False))
        if lacking := gap(known[cell.id], lasted, step):
            return 0, start, f"the journal lacks {lacking}: {AGAIN}"
    return step, state, ""
