"""The files that a run keeps of each seed: which are lacking where only some attempts at the run keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ganbench.record import generators, samples
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record


@dataclass(frozen=True)
class KeptFiles:
    """A kind of file that a run keeps of each seed at its last evaluation, in a folder of this ``name``.

    ``what``: as a sentence names them; ``option``: what asks for them; ``place``: a seed's file; ``of``: whether a
    cell's seeds have one.
    """

    name: str
    what: str
    option: str
    place: Callable[[Path, str, str, int], Path]
    of: Callable[[CellRecord], bool]

    def lacking(self, run: Path, record: Record, *, asked: bool) -> str:
        """What to know where an attempt at a run keeps these files and an earlier one did not, or the other way round.

        Args:
            run: the run's folder.
            record: the run; of cells that have not ended nothing is known yet.
            asked: whether this attempt keeps them.

        Returns:
            A line; empty where none are lacking.
        """
        folder = run / self.name
        if not asked:
            kept = f"an earlier attempt kept {self.name} in {folder}, and this one does not: add {self.option}"
            return f"{kept} to keep them" if folder.is_dir() else ""
        lost = [
            seed
            for cell in record.cells
            for seed in cell.seeds
            if self.of(cell) and cell.history(seed) and cell.outcome(seed).status.measured
            if not self.place(folder, cell.dataset, cell.variant, seed).exists()
        ]
        if not lost:
            return ""
        return (
            f"the {self.what} of {len(lost)} seeds are not kept, for they had ended when {self.option} was first "
            f"given: for those of all seeds move {run} away, or give another --out, and the command again"
        )


SAMPLES = KeptFiles("samples", "last samples", "--save-samples", samples.place, lambda cell: True)
GENERATORS = KeptFiles(
    "generators", "generators", "--save-generators", generators.place, lambda cell: not cell.reference
)
