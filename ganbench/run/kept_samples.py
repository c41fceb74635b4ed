"""The samples that a run keeps as files: which are lacking where only some attempts at the run keep them."""

from __future__ import annotations

from pathlib import Path

from ganbench.record.record import Record
from ganbench.record.samples import place


def lacking(folder: Path, record: Record, *, asked: bool) -> str:
    """What to know where an attempt at a run keeps samples and an earlier one did not, or the other way round.

    Args:
        folder: the run's folder of samples.
        record: the run; of cells that have not ended nothing is known yet.
        asked: whether this attempt keeps samples.

    Returns:
        A line; empty where none are lacking.
    """
    if not asked:
        kept = f"an earlier attempt kept samples in {folder}, and this one does not: add --save-samples to keep them"
        return kept if folder.is_dir() else ""
    lost = [
        seed
        for cell in record.cells
        for seed in cell.seeds
        if cell.ended and cell.history(seed) and not place(folder, cell.dataset, cell.variant, seed).exists()
    ]
    if not lost:
        return ""
    return (
        f"the last samples of {len(lost)} seeds are not kept, for they had ended when --save-samples was first given: "
        f"for those of all seeds move {folder.parent} away, or give another --out, and the command again"
    )
