"""A cell run here and now: trained from where it stands, measured at each evaluation, every event recorded.

A cell is a generator of events. What its plugins raise ends the cell, as a row; what the disk or the terminal refuses
while an event is recorded or shown ends the run, and is no cell's result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganbench.failure import PluginError, describe
from ganbench.measure.evaluate import Metrics
from ganbench.plan import Cell
from ganbench.record.status import Status
from ganbench.registry import Registry
from ganbench.report.observer import Observer
from ganbench.train.cell import Trainer, build_dataset, oracle
from ganbench.train.checkpoint import load, save
from ganbench.train.engine import State

Record = Callable[[Mapping[str, Any]], None]
#: A kind and what there is to say: the journal's start, speed, evaluation and end, and progress and checkpoint beside.
Event = tuple[str, dict[str, Any]]
_UNRECORDED = ("progress", "checkpoint")


@dataclass(frozen=True)
class Surroundings:
    """What is the same for every cell of a run."""

    registry: Registry
    metrics: Metrics
    device: torch.device
    engine: str
    record: Record
    observer: Observer
    checkpoints: Path

    def checkpoint(self, cell: Cell) -> Path:
        """Where the cell's state is kept between two evaluations."""
        return self.checkpoints / f"{cell.id}.pt"


def run_cell(cell: Cell, around: Surroundings, *, speed_known: bool) -> None:
    """Run a cell to its end, which is recorded whatever its plugins do; the other cells then go on.

    Raises OSError where the disk or the terminal fails.
    """
    events = _oracle(cell, around) if cell.recipe is None else _train(cell, around, speed_known)
    kind, step = "", 0
    while kind != "end":
        try:
            kind, said = next(events)
        except (Exception, SystemExit) as error:
            status = Status.OUT_OF_MEMORY if _out_of_memory(error) else Status.ERROR
            kind, said = "end", {"seeds": [_ending(seed, status, step, describe(error)) for seed in cell.seeds]}
        step = said.get("step", step)
        _tell(cell, around, kind, said)
    around.checkpoint(cell).unlink(missing_ok=True)


def _tell(cell: Cell, around: Surroundings, kind: str, said: dict[str, Any]) -> None:
    if kind not in _UNRECORDED:
        around.record({"event": kind, "cell": cell.id, **said})
    match kind:
        case "start":
            around.observer.cell_started(cell, said["engine"], said["note"])
        case "progress":
            around.observer.progress(cell, said["step"])
        case "evaluation":
            around.observer.evaluated(cell, said["step"], said["rows"])
        case "checkpoint":
            save(around.checkpoint(cell), said["step"], said["state"])
        case "end":
            around.observer.cell_ended(cell, said["seeds"])


def _oracle(cell: Cell, around: Surroundings) -> Iterator[Event]:
    yield "start", {"engine": "", "note": "", "replicas": len(cell.seeds)}
    dataset = build_dataset(cell.data, around.registry)
    rows = [
        {"seed": seed, "status": Status.DONE} | around.metrics.of_outcome(oracle(cell, dataset, seed, around.device))
        for seed in cell.seeds
    ]
    yield "evaluation", {"step": 0, "rows": rows}
    yield "end", {"seeds": [_ending(seed, Status.DONE, 0) for seed in cell.seeds]}


def _train(cell: Cell, around: Surroundings, speed_known: bool) -> Iterator[Event]:
    assert cell.recipe is not None
    trainer = Trainer(cell, cell.recipe, around.registry, around.device, around.engine)
    trainer.prepare()
    yield "start", {"engine": trainer.engine, "note": trainer.note, "replicas": len(cell.seeds)}
    if not speed_known and "speed" in around.metrics.names:
        yield "speed", {"values": around.metrics.of_cell({"speed": trainer.speed()})}
    step, state = load(around.checkpoint(cell), trainer.start) or (0, trainer.start)
    yield "progress", {"step": step}
    # In slices, so that who watches sees something move; slicing changes no number.
    size = max(1, (cell.steps + 99) // 100)
    for evaluation in cell.evaluations:
        if evaluation <= step:
            continue
        before = step
        while step < evaluation:
            stop = min(step + size, evaluation)
            state = trainer.advance(state, step, stop)
            step = stop
            yield "progress", {"step": step}
        survived = state.survived.tolist()
        # A seed that diverged is measured once more, to say how bad it is, and then left alone.
        rows = [
            _row(trainer, around.metrics, state, step, replica)
            for replica in range(len(cell.seeds))
            if survived[replica] >= before
        ]
        yield "evaluation", {"step": step, "rows": rows}
        if max(survived) < step:
            break
        if step < cell.steps:
            yield "checkpoint", {"step": step, "state": state}
    endings = [
        _ending(seed, Status.DONE if lasted == cell.steps else Status.DIVERGED, min(lasted + 1, cell.steps))
        for seed, lasted in zip(cell.seeds, state.survived.tolist(), strict=True)
    ]
    yield "end", {"seeds": endings}


def _row(trainer: Trainer, metrics: Metrics, state: State, step: int, replica: int) -> dict[str, Any]:
    diverged = int(state.survived[replica]) < step
    try:
        row = metrics.of_outcome(trainer.outcome(state, step, replica, metrics.names))
    except PluginError as error:
        # A metric may have no answer for samples that are not finite; that is no reason to lose the other seeds.
        if not diverged or _out_of_memory(error):
            raise
        row = {}
    return {"seed": trainer.cell.seeds[replica], "status": Status.DIVERGED if diverged else Status.DONE} | row


def _ending(seed: int, status: Status, step: int, message: str = "") -> dict[str, Any]:
    return {"seed": seed, "status": status, "step": step, "message": message}


def _out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out, whatever it was reported as on the way up."""
    while error is not None:
        # On a CPU torch raises a plain RuntimeError.
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
            return True
        error = error.__cause__
    return False
