"""Cells run here and now: trained from where they stand, measured at each evaluation, every event recorded.

Cells that train as one batch (see ``plan.batches``; nearly always one) are a generator of events, each of one of them.
What their plugins raise ends the cells, as rows; what the disk or the terminal refuses while an event is recorded or
shown ends the run, and is no cell's result.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganbench.core.errors import PluginError, error_line, out_of_memory
from ganbench.plugin.kinds import CELL_NAMES
from ganbench.record.samples import keep
from ganbench.record.status import Status
from ganbench.run.evaluate import Metrics
from ganbench.run.metric_inputs import SeedInputs, of_models, of_reference, rows
from ganbench.run.observer import Observer
from ganbench.suite.plan import Cell
from ganbench.train.checkpoint import load, save
from ganbench.train.data import build_dataset
from ganbench.train.trainer import Trainer

Record = Callable[[Mapping[str, Any]], None]
#: A cell, a kind and what there is to say: the journal's start, speed, evaluation and end, and beside them progress,
#: checkpoint and samples.
Event = tuple[Cell, str, dict[str, Any]]
_UNRECORDED = ("progress", "checkpoint", "samples")
#: The engines that ``auto`` chooses from.
CHOSEN = ("eager", "compiled")


@dataclass(frozen=True)
class RunContext:
    """What is the same for every cell of a run."""

    metrics: Metrics
    device: torch.device
    engine: str
    record: Record
    observer: Observer
    checkpoints: Path
    samples: Path | None = None

    def checkpoint(self, cells: Sequence[Cell]) -> Path:
        """Where the cells' state is kept between two evaluations."""
        return self.checkpoints / f"{cells[0].id}.pt"


def run_cells(
    cells: Sequence[Cell],
    around: RunContext,
    *,
    ended: frozenset[str],
    engines: Mapping[str, str],
    speed_known: bool,
    apart: str = "",
) -> None:
    """Run cells that train as one batch to their end, which is recorded whatever their plugins do; the others go on.

    What fails as one batch is done again cell by cell: it may be the fault of one, or of their being together.
    ``apart``: why that is so. ``ended``: the ids of those that had ended before: they train with the others, to the
    same numbers as before, and nothing more is said of them. ``engines``: by id, that they trained with so far, if
    they did. Raises OSError where the disk or the terminal fails.
    """
    # What is left of the cells before would count as memory in use.
    gc.collect()
    engine = engines[cells[0].id]
    events = _refer(cells[0], around) if cells[0].trained is None else _train(cells, around, engine, speed_known, apart)
    open_, step = [cell for cell in cells if cell.id not in ended], 0
    while open_:
        try:
            cell, kind, said = next(events)
        except (Exception, SystemExit) as error:
            if len(cells) > 1:
                apart = f"trained apart from the other settings: {error_line(error)}"
                break
            status, message = Status.OUT_OF_MEMORY if out_of_memory(error) else Status.ERROR, error_line(error)
            for cell in open_:
                _tell(cell, around, "end", {"seeds": [_ending(seed, status, step, message) for seed in cell.seeds]})
            open_.clear()
            break
        step = said.get("step", step)
        if kind == "checkpoint":
            save(around.checkpoint(cells), step, said["state"])
        elif cell in open_:
            _tell(cell, around, kind, said)
            if kind == "end":
                open_.remove(cell)
    around.checkpoint(cells).unlink(missing_ok=True)
    for cell in open_:
        run_cells([cell], around, ended=ended, engines=engines, speed_known=False, apart=apart)


def _tell(cell: Cell, around: RunContext, kind: str, said: dict[str, Any]) -> None:
    if kind not in _UNRECORDED:
        around.record({"event": kind, "cell": cell.id, **said})
    match kind:
        case "start":
            around.observer.cell_started(cell, said["engine"], said["note"])
        case "progress":
            around.observer.progress(cell, said["step"])
        case "evaluation":
            around.observer.evaluated(cell, said["step"], said["rows"])
        case "samples":
            if around.samples is not None:
                keep(around.samples / cell.dataset / cell.variant / f"{said['seed']}.npz", **said)
        case "end":
            around.observer.cell_ended(cell, said["seeds"])


def _refer(cell: Cell, around: RunContext) -> Iterator[Event]:
    yield cell, "start", {"engine": "", "note": "", "replicas": len(cell.seeds)}
    dataset = build_dataset(cell.data)
    notes: dict[int, str] = {}

    def noted() -> Iterator[list[SeedInputs]]:
        for group in of_reference(cell, dataset, around.metrics.names, around.device):
            notes.update((seed, outcome["note"]) for seed, _, outcome in group)
            yield group

    measured = yield from _measured(cell, around, 0, noted())
    yield cell, "evaluation", {"step": 0, "rows": measured}
    yield cell, "end", {"seeds": [_ending(seed, Status.DONE, 0, notes[seed]) for seed in cell.seeds]}


def _train(cells: Sequence[Cell], around: RunContext, engine: str, speed_known: bool, apart: str) -> Iterator[Event]:
    # The engine is chosen from times that were measured, and once chosen kept: another would round differently.
    trainer = Trainer(cells, around.device, engine if engine in CHOSEN else around.engine)
    if len(cells) > 1 and trainer.probe.serial:
        # A plugin's code may insist on a number where a sweep gives a tensor.
        raise PluginError(trainer.probe.serial)
    trainer.prepare()
    noted = trainer.note
    yield from _started(cells, trainer, apart)
    asked = around.metrics.names & CELL_NAMES
    if asked and not speed_known:
        # Of the cells as a whole, and the same for each of them.
        values = around.metrics.of_cell({name: getattr(trainer, name)() for name in sorted(asked)})
        for cell in cells:
            yield cell, "speed", {"values": values}
    step, state = load(around.checkpoint(cells), trainer.start) or (0, trainer.start)
    first = cells[0]
    # In slices, so that who watches sees something move; slicing changes no number.
    size = max(1, (first.steps + 99) // 100)
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
                yield from _started(cells, trainer, apart)
            for cell in cells:
                yield cell, "progress", {"step": step}
        survived = state.survived.tolist()
        for at, cell in enumerate(cells):
            own = range(at * len(cell.seeds), (at + 1) * len(cell.seeds))
            if max(survived[i] for i in own) >= before:
                # A seed that diverged is measured once more, to say how bad it is, and then left alone.
                outcomes = of_models(trainer, own, around.metrics.names, survived, state, step, before)
                measured = yield from _measured(cell, around, step, outcomes)
                yield cell, "evaluation", {"step": step, "rows": measured}
        if max(survived) < step:
            break
        if step < first.steps:
            yield first, "checkpoint", {"step": step, "state": state}
    survived = state.survived.tolist()
    for at, cell in enumerate(cells):
        lasted = dict(zip(cell.seeds, survived[at * len(cell.seeds) :], strict=False))
        endings = [
            _ending(seed, Status.DONE if steps == cell.steps else Status.DIVERGED, min(steps + 1, cell.steps))
            for seed, steps in lasted.items()
        ]
        yield cell, "end", {"seeds": endings}


def _started(cells: Sequence[Cell], trainer: Trainer, apart: str) -> Iterator[Event]:
    """How the cells train; said again where that changes, as when memory runs out."""
    note = "; ".join(filter(None, (apart, trainer.note)))
    for cell in cells:
        yield cell, "start", {"engine": trainer.engine, "note": note, "replicas": len(trainer.seeds)}


def _rounded(step: int, block: int) -> int:
    """The end of the block that a step is in: what was drawn for it is then used up."""
    return -(-step // block) * block


def _measured(
    cell: Cell, around: RunContext, step: int, groups: Iterator[list[SeedInputs]]
) -> Generator[Event, None, list[dict[str, Any]]]:
    """A row for each outcome, after its samples if they are the seed's last."""
    found = []
    for group in groups:
        found += rows(group, around.metrics)
        for seed, _, outcome in group:
            if outcome["final"]:
                yield cell, "samples", {"samples": outcome["samples"], "seed": seed, "step": step}
    return found


def _ending(seed: int, status: Status, step: int, message: str = "") -> dict[str, Any]:
    return {"seed": seed, "status": status, "step": step, "message": message}
