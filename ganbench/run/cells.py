"""The events of a batch of cells, from its first step to its last.

The cells of a batch train together (see ``plan.batches``; nearly always it is one cell). ``batch_events`` is a
generator: it trains and measures them, and yields an event for each thing that happens to one of them. It writes no
file and calls no observer: its caller does both. It raises what a plugin raises.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.plugin.kinds import CELL_NAMES
from ganbench.plugin.types import MetricValue
from ganbench.record.cell_record import CellRecord
from ganbench.record.events import CellEnded, CellEvent, CellMeasured, CellStarted, Evaluated, SeedOutcome, SeedRow
from ganbench.record.generators import SavedGenerator
from ganbench.record.status import Status
from ganbench.run.cell_pictures import CellPictures, PictureDrawn, PictureSettings
from ganbench.run.data_note import data_note
from ganbench.run.evaluate import Metrics
from ganbench.run.generator_keeper import GeneratorKeeper
from ganbench.run.metric_inputs import SeedInputs, of_models, of_reference, rows
from ganbench.run.observer import CellNoted, CellProgressed
from ganbench.run.resume import resumed
from ganbench.suite.plan import Cell
from ganbench.train.data import build_dataset
from ganbench.train.step.step import State
from ganbench.train.trainer import Trainer

#: The engines that ``auto`` chooses from.
CHOSEN = ("eager", "compiled", "serial")
#: Seeds that diverge before so many steps are trained again, alone, to find out why; so many of a cell at most. Whether
#: the run was killed meanwhile makes no difference.
EARLY = 100
EXPLAINED = 4


@dataclass(frozen=True)
class RunContext:
    """What all cells of a run are trained with; ``checkpoints`` is the folder of their unfinished states.

    ``identity``: the digest of all that decides the run's numbers. ``keeper``: where each seed's generator is kept.
    ``pictures``: None where none are recorded. ``most_bytes``: what a chunk of replicas may take. ``host``, ``kind``:
    the machine, and the kind of its device. ``disturbed``: by what else, so that clocks measure nothing true.
    """

    metrics: Metrics
    device: torch.device
    engine: str
    checkpoints: Path
    identity: str = ""
    keeper: GeneratorKeeper | None = None
    pictures: PictureSettings | None = None
    most_bytes: int | None = None
    host: str = ""
    kind: str = ""
    disturbed: str = ""

    @property
    def where(self) -> tuple[str, str, str]:
        """Where cells train, as a CellStarted says it."""
        return self.host, self.kind, self.disturbed

    def owner(self, cells: Sequence[Cell]) -> str:
        """Whose state a batch's checkpoint must be."""
        return " ".join((self.identity, *(cell.id for cell in cells)))

    def checkpoint(self, cells: Sequence[Cell]) -> Path:
        """The file that keeps the state of a batch between two evaluations."""
        return self.checkpoints / f"{cells[0].id}.pt"

    def parted(self, cells: Sequence[Cell]) -> Path:
        """The file that says why the cells of a batch train apart, once they do."""
        return self.checkpoints / f"{cells[0].id}.apart"


@dataclass(frozen=True)
class LastSamples:
    """The samples at which a seed of the cell was measured for the last time, after ``step`` steps.

    ``samples``: one a row, float32, as the generator gives them; ``labels``: of a conditional one, the classes.
    """

    cell: str
    seed: int
    step: int
    samples: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class LastGenerator:
    """The generator with which a seed of the cell was measured for the last time."""

    cell: str
    saved: SavedGenerator


@dataclass(frozen=True)
class BatchState:
    """The state of the whole batch after ``step`` steps: its training can go on from it."""

    step: int
    state: State


BatchEvent = CellEvent | CellNoted | CellProgressed | LastSamples | LastGenerator | PictureDrawn | BatchState


def batch_events(
    cells: Sequence[Cell], context: RunContext, known: Mapping[str, CellRecord], apart: str = ""
) -> Iterator[BatchEvent]:
    """Train and measure a batch of cells, and yield what happens to them, in the order in which it happens.

    It continues from the batch's checkpoint where there is one.

    Args:
        cells: The batch: one reference, or one or more cells that can train together.
        context: What all cells of the run are trained with.
        known: The records of the cells, by id, when this attempt at the run started.
        apart: Why the cell does not train together with the others of its batch; empty where it does.

    Yields:
        The events; a ``BatchState`` after each evaluation but the last, and as the last event of a cell its
            ``CellEnded``.

    Raises:
        Exception: What a plugin that is no metric raises; PluginError where cells cannot train together; torch's errors
            where memory runs out.
    """
    return _refer(cells[0], context) if cells[0].trained is None else _train(cells, context, known, apart)


def _refer(cell: Cell, context: RunContext) -> Iterator[BatchEvent]:
    dataset = build_dataset(cell.data)
    yield CellStarted(cell.id, "", data_note(cell, dataset), len(cell.seeds), 0, *context.where)
    notes: dict[int, str] = {}

    def noted() -> Iterator[list[SeedInputs]]:
        for group in of_reference(cell, dataset, context.metrics.names, context.device):
            notes.update((seed, outcome["note"]) for seed, _, outcome in group)
            yield group

    measured = yield from _measured(cell, context, 0, noted(), CellPictures(cell, dataset, context.pictures))
    yield Evaluated(cell.id, 0, measured)
    yield CellEnded(cell.id, tuple(SeedOutcome(seed, Status.DONE, 0, notes[seed]) for seed in cell.seeds))


def _train(
    cells: Sequence[Cell], context: RunContext, known: Mapping[str, CellRecord], apart: str
) -> Iterator[BatchEvent]:
    began = time.monotonic()
    # ``auto`` chooses the engine by measured times, and the choice is kept: another engine would round differently.
    earlier = known[cells[0].id]
    kept = earlier.engine if earlier.engine in CHOSEN else ""
    # So are the chunks, which round differently too; those of another batch say nothing of this one's.
    at_once = earlier.chunk if earlier.replicas == sum(len(cell.seeds) for cell in cells) else 0
    trainer = Trainer(cells, context.device, context.engine, kept, most_bytes=context.most_bytes, at_once=at_once)
    if len(cells) > 1 and trainer.probe.serial:
        # A plugin's code may need a number where a sweep gives a tensor.
        raise PluginError(trainer.probe.serial)
    trainer.prepare()
    noted = trainer.note
    yield from _started(cells, trainer, context, apart)
    wanted = context.metrics.names & CELL_NAMES
    # The speed that is known is of the batch as it was: a cell that trains apart is measured anew.
    if wanted and (apart or not all(known[cell.id].speed for cell in cells)):
        # Of the cells as a whole, and the same for each of them.
        values, failed = _of_cell(context.metrics, {name: getattr(trainer, name)() for name in sorted(wanted)})
        for cell in cells:
            yield CellMeasured(cell.id, values, tuple(failed))
    step, state, why = resumed(cells, context.checkpoint(cells), context.owner(cells), trainer.start, known)
    for cell in cells if why else ():
        yield CellNoted(cell.id, why)
    first, places = (
        cells[0],
        [range(at * len(cells[0].seeds), (at + 1) * len(cells[0].seeds)) for at in range(len(cells))],
    )
    pictures = [
        CellPictures(cell, trainer.dataset, context.pictures, trainer, own)
        for cell, own in zip(cells, places, strict=True)
    ]
    # In slices, so that observers see progress; slicing changes no number.
    size = max(1, (first.steps + 99) // 100)
    # Cells that train together may take as long as they might apart.
    limit = math.inf if first.minutes is None else 60 * first.minutes * len(cells)
    evaluated, late = step, False
    for evaluation in first.evaluations:
        if evaluation <= step:
            continue
        before = step
        while step < evaluation:
            stop = min(_rounded(step + size, trainer.block), evaluation)
            state = trainer.advance(state, step, stop)
            step = stop
            if trainer.note != noted:
                noted = trainer.note
                yield from _started(cells, trainer, context, apart)
            for cell in cells:
                yield CellProgressed(cell.id, step)
            if late := step < first.steps and time.monotonic() > began + limit:
                break
        if late:
            break
        survived = state.survived.tolist()
        for cell, own, drawn in zip(cells, places, pictures, strict=True):
            if max(survived[i] for i in own) >= before:
                # A seed that diverged is measured once more, to show how bad it is, and never again.
                outcomes = of_models(trainer, own, context.metrics.names, survived, state, step, before)
                measured = yield from _measured(cell, context, step, outcomes, drawn, state)
                # Before the row is in the journal: a seed whose row is there has its file, too.
                last = [i for i in own if survived[i] >= before and (survived[i] < step or step == first.steps)]
                if keeper := context.keeper:
                    generators = (keeper.saved(trainer, cell, state, i, step) for i in last)
                    yield from (LastGenerator(cell.id, saved) for saved in generators)
                yield Evaluated(cell.id, step, measured)
        evaluated = step
        if max(survived) < step:
            break
        if step < first.steps:
            yield BatchState(step, state)
    # After the last evaluation nothing is known of a seed that was stopped, nor whether it still had finite numbers.
    survived = [first.steps if late and steps >= evaluated else steps for steps in state.survived.tolist()]
    for i, steps in enumerate(survived):
        if steps < first.steps:
            trainer.check_data(i, steps)
    for cell, replicas in zip(cells, places, strict=True):
        early = [i for i in replicas if survived[i] < min(EARLY, cell.steps)][:EXPLAINED]
        causes = {i: trainer.divergence(i, survived[i]) for i in early}
        lasted = zip(cell.seeds, replicas, strict=True)
        ended = [_outcome(seed, survived[i], cell.steps, causes.get(i, "")) for seed, i in lasted]
        if late:
            ended = [_stopped(one, cell, step, evaluated) if one.status is Status.DONE else one for one in ended]
        yield CellEnded(cell.id, tuple(ended))


def _of_cell(metrics: Metrics, known: Mapping[str, Any]) -> tuple[dict[str, MetricValue], list[str]]:
    """The numbers of a batch as a whole, and a line for each metric that failed."""
    try:
        return metrics.of_cell(known), []
    except PluginError as error:
        if out_of_memory(error):
            raise
        return metrics.salvaged(known, cell=True)


def _started(cells: Sequence[Cell], trainer: Trainer, context: RunContext, apart: str) -> Iterator[BatchEvent]:
    """How the cells train; repeated where that changes, as when memory runs out."""
    # Where a reason keeps the settings apart and the seeds too, it is said once.
    apart = apart.removesuffix(f": {trainer.probe.serial}") if trainer.probe.serial else apart
    note = "; ".join(filter(None, (apart, trainer.note)))
    for cell in cells:
        size = trainer.chunks.size
        yield CellStarted(cell.id, trainer.engine, note, len(trainer.seeds), size, *context.where)


def _rounded(step: int, block: int) -> int:
    """The end of the block of steps that a step is in: the numbers drawn for the block are then used up."""
    return -(-step // block) * block


def _measured(
    cell: Cell,
    context: RunContext,
    step: int,
    groups: Iterator[list[SeedInputs]],
    pictures: CellPictures,
    state: State | None = None,
) -> Generator[BatchEvent, None, tuple[SeedRow, ...]]:
    """A row for each seed, after its samples if they are the seed's last, and after the picture of them all."""
    found: list[SeedRow] = []
    for group in groups:
        found += rows(group, context.metrics)
        pictures.add(group, step, state)
        for seed, _, outcome in group:
            if outcome["final"]:
                yield LastSamples(cell.id, seed, step, outcome["samples"], outcome.get("label"))
    if picture := pictures.take(step):
        yield picture
    return tuple(found)


def _stopped(outcome: SeedOutcome, cell: Cell, step: int, evaluated: int) -> SeedOutcome:
    """How a seed ended whose cell took longer than it may."""
    measured = f"measured last at step {evaluated}" if evaluated else "not measured yet"
    message = f"stopped after {cell.minutes:g} minutes, at step {step} of {cell.steps}; {measured}"
    return SeedOutcome(outcome.seed, Status.TIMEOUT, evaluated, message)


def _outcome(seed: int, survived: int, steps: int, cause: str) -> SeedOutcome:
    """How a seed ended whose numbers were finite for ``survived`` of ``steps`` steps; the cause, if it is known."""
    if survived == steps:
        return SeedOutcome(seed, Status.DONE, steps)
    return SeedOutcome(seed, Status.DIVERGED, survived + 1, cause and f"not finite at step {survived + 1}: {cause}")
