"""The loop that runs cells here and now: it takes what a batch of cells says, one event after another.

* The loop writes an event to the journal; then it tells the observer. It saves the state of the batch, and the last
  samples and the generator of a seed if the run keeps them.
* An exception from the batch is a plugin's, or memory ran out. If the batch is one cell, the exception ends the cell:
  each seed of it gets an outcome that says why. If the batch is several cells, each cell that has not ended is run
  again alone: the fault may be that of one cell, or of training them together.
* Where the device can compute nothing more afterwards in this process, cells that are left are not tried here: the run
  stops, and goes on in a fresh process. Each process ends a cell, or learns that a batch trains apart, so they end.
* An exception from the journal, the disk or the observer ends the run. No cell gets an outcome from it, and the same
  command goes on from the last checkpoint.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.core import streams
from ganbench.core.disk import discard, make_folder, write
from ganbench.core.errors import error_line, out_of_memory, raise_if_stopped
from ganbench.core.fresh_process import DeviceLostError
from ganbench.core.plain_words import plain_words
from ganbench.record.cell_record import CellRecord
from ganbench.record.events import CellEnded, CellEvent, Pictured, SeedOutcome
from ganbench.record.generators import place as place_of_generator
from ganbench.record.generators import write as write_generator
from ganbench.record.journal import Journal
from ganbench.record.pictures import cell_place, data_place, keep_file
from ganbench.record.samples import keep, place
from ganbench.record.status import Status
from ganbench.run.cell_pictures import PictureDrawn
from ganbench.run.cells import BatchState, LastGenerator, LastSamples, RunContext, batch_events
from ganbench.run.observer import CellNoted, CellProgressed, RunObserver
from ganbench.suite.plan import Cell
from ganbench.train.checkpoint import save
from ganbench.train.device import failure


@dataclass(frozen=True)
class RunOutput:
    """Where what the cells of a run say goes to.

    ``pictures``, ``samples``, ``generators``: the folders of the pictures, of the last samples, and of the generators,
    if they are kept.
    """

    journal: Journal
    observer: RunObserver
    pictures: Path | None = None
    samples: Path | None = None
    generators: Path | None = None

    def take(
        self,
        cell: Cell,
        event: CellEvent | CellNoted | CellProgressed | LastSamples | LastGenerator | PictureDrawn,
    ) -> None:
        """Record an event of the cell, then show it. Raises OSError where the disk or the terminal fails."""
        match event:
            case LastSamples(_, seed, step, samples, labels):
                if self.samples is not None:
                    kept = place(self.samples, cell.dataset, cell.variant, seed)
                    keep(kept, samples, seed, step, labels, dataset=cell.data.plain())
            case LastGenerator(_, saved):
                if self.generators is not None:
                    kept = place_of_generator(self.generators, cell.dataset, cell.variant, saved.about.seed)
                    write_generator(kept, saved)
            case PictureDrawn(_, step, content, data):
                if self.pictures is not None:
                    files = (
                        data_place(self.pictures, cell.dataset),
                        cell_place(self.pictures, cell.dataset, cell.variant, step),
                    )
                    of_data, file = map(keep_file, files, (data, content))
                    written = Pictured(cell.id, step, file, of_data)
                    self.journal.append(written)
                    self.observer.tell(written)
            case CellProgressed() | CellNoted():
                self.observer.tell(event)
            case _:
                self.journal.append(event)
                self.observer.tell(event)


def run_cells(cells: Sequence[Cell], context: RunContext, output: RunOutput, known: Mapping[str, CellRecord]) -> None:
    """Run a batch of cells to the end of each of them, whatever their plugins do.

    A cell that had ended before trains with the others of its batch, to the same numbers, and nothing more is said of
    it.

    Args:
        cells: The batch, see ``plan.batches``.
        context: What all cells of the run are trained with.
        output: Where what the cells say goes to.
        known: What the journal had said of each cell, by its id, when the run was started this time.

    Raises:
        DeviceLostError: Where the device can compute nothing more in this process, and cells of the batch are left.
        OSError: Where the disk or the terminal fails.
    """
    left: Sequence[Cell] = [cell for cell in cells if not known[cell.id].ended]
    parted, apart = context.parted(cells), ""
    # Once a batch trains apart, it does so in each attempt at the run: in another process it would fail again.
    if first := not (len(cells) > 1 and parted.is_file()):
        left, apart = _run(cells, context, output, known)
        if left:
            make_folder(parted.parent)
            write(parted, apart)
    else:
        apart = parted.read_text(encoding="utf-8")
    for cell in left:
        if first or cell is not left[0]:
            raise_if_lost(context)
        _run([cell], context, output, known, apart)


def raise_if_lost(context: RunContext) -> None:
    """Raise DeviceLostError where the run's device can compute nothing more in this process."""
    if why := failure(context.device):
        raise DeviceLostError(why, context.checkpoints.parent)


def _run(
    cells: Sequence[Cell], context: RunContext, output: RunOutput, known: Mapping[str, CellRecord], apart: str = ""
) -> tuple[Sequence[Cell], str]:
    """Run cells as one batch; ``apart``: why a cell is run without the others of its batch, empty where it is not.

    Returns the cells that have not ended, which are to run apart, and why.
    """
    # What is left of the cells before would count as memory in use.
    gc.collect()
    unfinished = {cell.id: cell for cell in cells if not known[cell.id].ended}
    events = batch_events(cells, context, known, apart)
    step = 0
    while unfinished:
        try:
            event = next(events)
        except BaseException as error:
            raise_if_stopped(error)
            if len(cells) > 1:
                apart = f"trained apart from the other settings: {error_line(error)}"
                break
            event = _failed(cells[0], step, error)
        streams.mend()
        if isinstance(event, BatchState):
            save(context.checkpoint(cells), event.step, event.state, context.owner(cells))
            continue
        if isinstance(event, CellProgressed):
            step = event.step
        if event.cell in unfinished:
            output.take(unfinished[event.cell], event)
            if isinstance(event, CellEnded):
                del unfinished[event.cell]
    discard(context.checkpoint(cells))
    return [*unfinished.values()], apart


def _failed(cell: Cell, step: int, error: BaseException) -> CellEnded:
    """The end of a cell that raised ``error`` after ``step`` steps."""
    status = Status.OUT_OF_MEMORY if out_of_memory(error) else Status.ERROR
    return CellEnded(cell.id, tuple(SeedOutcome(seed, status, step, plain_words(error)) for seed in cell.seeds))
