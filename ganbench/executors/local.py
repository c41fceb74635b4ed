"""A cell run here and now: trained from where it stands, measured at each evaluation, every event recorded.

A cell is a generator of events. What its plugins raise ends the cell, as a row; what the disk or the terminal refuses
while an event is recorded or shown ends the run, and is no cell's result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganbench.failure import PluginError, describe
from ganbench.measure.evaluate import Metrics
from ganbench.plan import Cell
from ganbench.record.samples import keep
from ganbench.record.status import Status
from ganbench.registry import Registry
from ganbench.report.observer import Observer
from ganbench.train.cell import Trainer
from ganbench.train.checkpoint import load, save
from ganbench.train.data import build_dataset
from ganbench.train.engine import State
from ganbench.train.reference import reference_outcome

Record = Callable[[Mapping[str, Any]], None]
#: A kind and what there is to say: the journal's start, speed, evaluation and end, and beside them progress, checkpoint
#: and samples.
Event = tuple[str, dict[str, Any]]
_UNRECORDED = ("progress", "checkpoint", "samples")
#: A seed, how it stands, and what metrics may name about it.
Outcome = tuple[int, Status, dict[str, Any]]
#: How many numbers the samples that are measured at once may hold: 64 MiB.
TOGETHER = 2**24


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
    samples: Path | None = None

    def checkpoint(self, cell: Cell) -> Path:
        """Where the cell's state is kept between two evaluations."""
        return self.checkpoints / f"{cell.id}.pt"


def run_cell(cell: Cell, around: Surroundings, *, speed_known: bool) -> None:
    """Run a cell to its end, which is recorded whatever its plugins do; the other cells then go on.

    Raises OSError where the disk or the terminal fails.
    """
    events = _refer(cell, around) if cell.recipe is None else _train(cell, around, speed_known)
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
        case "samples":
            if around.samples is not None:
                keep(around.samples / cell.dataset / cell.variant / f"{said['seed']}.npz", **said)
        case "end":
            around.observer.cell_ended(cell, said["seeds"])


def _refer(cell: Cell, around: Surroundings) -> Iterator[Event]:
    yield "start", {"engine": "", "note": "", "replicas": len(cell.seeds)}
    dataset = build_dataset(cell.data, around.registry)
    notes: dict[int, str] = {}

    def outcomes() -> Iterator[Outcome]:
        for seed in cell.seeds:
            one = reference_outcome(cell, around.registry, dataset, seed, around.metrics.names, around.device)
            notes[seed] = one["note"]
            yield seed, Status.DONE, one

    rows = yield from _measured(around, 0, outcomes())
    yield "evaluation", {"step": 0, "rows": rows}
    yield "end", {"seeds": [_ending(seed, Status.DONE, 0, notes[seed]) for seed in cell.seeds]}


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
        outcomes = _outcomes(trainer, around.metrics.names, state, step, before)
        rows = yield from _measured(around, step, outcomes)
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


def _outcomes(trainer: Trainer, names: frozenset[str], state: State, step: int, before: int) -> Iterator[Outcome]:
    """The outcome of each replica that trained since the step ``before``."""
    for replica, seed in enumerate(trainer.cell.seeds):
        lasted = int(state.survived[replica])
        if lasted >= before:
            status = Status.DIVERGED if lasted < step else Status.DONE
            final = status is Status.DIVERGED or step == trainer.cell.steps
            yield seed, status, trainer.outcome(state, step, replica, names, final=final)


def _measured(
    around: Surroundings, step: int, outcomes: Iterator[Outcome]
) -> Generator[Event, None, list[dict[str, Any]]]:
    """A row for each outcome, after its samples if they are the seed's last.

    As many outcomes are held in memory at once as have few samples together.
    """
    rows = []
    while group := list(_few(outcomes)):
        measured = around.metrics.of_outcomes([outcome for _, _, outcome in group])
        for (seed, status, outcome), row in zip(group, measured, strict=True):
            if isinstance(row, PluginError):
                # A metric may have no answer for samples that are not finite: no reason to lose the other seeds.
                if status is not Status.DIVERGED or _out_of_memory(row):
                    raise row
                row, failures = around.metrics.salvaged(outcome)
                row["note"] = "; ".join(filter(None, (*failures, str(row.get("note", "")))))
            rows.append({"seed": seed, "status": status} | row)
            if outcome["final"]:
                yield "samples", {"samples": outcome["samples"], "seed": seed, "step": step}
    return rows


def _few(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    together = 0
    while together < TOGETHER and (found := next(outcomes, None)) is not None:
        together += found[2]["samples"].numel()
        yield found


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
