"""A cell run here and now: trained from where it stands, measured at each evaluation, every event recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganbench.failure import describe
from ganbench.measure.evaluate import Metrics
from ganbench.plan import Cell
from ganbench.record.status import Status
from ganbench.registry import Registry
from ganbench.report.observer import Observer
from ganbench.train.cell import Trainer, build_dataset, oracle
from ganbench.train.checkpoint import load, save
from ganbench.train.engine import State

Record = Callable[[Mapping[str, Any]], None]


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


def run_cell(cell: Cell, around: Surroundings, *, speed_known: bool) -> bool:
    """Run a cell to its end, which is recorded whatever happens; whether all its seeds gave a result."""
    try:
        endings = _oracle(cell, around) if cell.recipe is None else _train(cell, around, speed_known)
    except (torch.OutOfMemoryError, MemoryError) as error:
        endings = _all(cell, Status.OUT_OF_MEMORY, str(error).split("\n")[0])
    except Exception as error:
        # Whatever a plugin does, its cell ends as a row and the others go on.
        endings = _all(cell, Status.ERROR, describe(error))
    around.record({"event": "end", "cell": cell.id, "seeds": endings})
    around.observer.cell_ended(cell, endings)
    _checkpoint(cell, around).unlink(missing_ok=True)
    return all(ending["status"] in (Status.DONE, Status.DIVERGED) for ending in endings)


def _oracle(cell: Cell, around: Surroundings) -> list[dict[str, Any]]:
    _start(cell, around, "", "")
    dataset = build_dataset(cell.data, around.registry)
    rows = [
        {"seed": seed, "status": Status.DONE} | around.metrics.of_outcome(oracle(cell, dataset, seed, around.device))
        for seed in cell.seeds
    ]
    _evaluated(cell, around, 0, rows)
    return [_ending(seed, Status.DONE, 0) for seed in cell.seeds]


def _train(cell: Cell, around: Surroundings, speed_known: bool) -> list[dict[str, Any]]:
    assert cell.recipe is not None
    trainer = Trainer(cell, cell.recipe, around.registry, around.device, around.engine)
    trainer.prepare()
    _start(cell, around, trainer.engine, trainer.note)
    if not speed_known and "speed" in around.metrics.names:
        values = around.metrics.of_cell({"speed": trainer.speed()})
        around.record({"event": "speed", "cell": cell.id, "values": values})
    path = _checkpoint(cell, around)
    step, state = load(path, trainer.start) or (0, trainer.start)
    for evaluation in cell.evaluations:
        if evaluation <= step:
            continue
        before, state = step, _advance(cell, around, trainer, state, step, evaluation)
        step = evaluation
        survived = state.survived.tolist()
        # A seed that diverged is measured once more, to say how bad it is, and then left alone.
        rows = [
            _row(trainer, around.metrics, state, step, replica)
            for replica in range(len(cell.seeds))
            if survived[replica] >= before
        ]
        _evaluated(cell, around, step, rows)
        if max(survived) < step:
            break
        if step < cell.steps:
            save(path, step, state)
    return [
        _ending(seed, Status.DONE if lasted == cell.steps else Status.DIVERGED, min(lasted + 1, cell.steps))
        for seed, lasted in zip(cell.seeds, state.survived.tolist(), strict=True)
    ]


def _advance(cell: Cell, around: Surroundings, trainer: Trainer, state: State, begin: int, end: int) -> State:
    # In slices, so that who watches sees something move; slicing changes no number.
    size = max(1, (cell.steps + 99) // 100)
    while begin < end:
        stop = min(begin + size, end)
        state = trainer.advance(state, begin, stop)
        around.observer.progress(cell, stop)
        begin = stop
    return state


def _row(trainer: Trainer, metrics: Metrics, state: State, step: int, replica: int) -> dict[str, Any]:
    diverged = int(state.survived[replica]) < step
    row = metrics.of_outcome(trainer.outcome(state, step, replica, metrics.names))
    return {"seed": trainer.cell.seeds[replica], "status": Status.DIVERGED if diverged else Status.DONE} | row


def _start(cell: Cell, around: Surroundings, engine: str, note: str) -> None:
    replicas = len(cell.seeds)
    around.record({"event": "start", "cell": cell.id, "engine": engine, "note": note, "replicas": replicas})
    around.observer.cell_started(cell, engine, note)


def _evaluated(cell: Cell, around: Surroundings, step: int, rows: list[dict[str, Any]]) -> None:
    around.record({"event": "evaluation", "cell": cell.id, "step": step, "rows": rows})
    around.observer.evaluated(cell, step, rows)


def _ending(seed: int, status: Status, step: int, message: str = "") -> dict[str, Any]:
    return {"seed": seed, "status": status, "step": step, "message": message}


def _all(cell: Cell, status: Status, message: str) -> list[dict[str, Any]]:
    return [_ending(seed, status, 0, message) for seed in cell.seeds]


def _checkpoint(cell: Cell, around: Surroundings) -> Path:
    return around.checkpoints / f"{cell.id}.pt"
