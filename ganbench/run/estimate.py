"""How long cells will take on this device, from a few steps and one evaluation, without training them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.core.stopwatch import Stopwatch
from ganbench.run.data_note import data_note
from ganbench.run.evaluate import Metrics
from ganbench.suite.plan import Cell
from ganbench.train.data import build_dataset
from ganbench.train.engine.speed import TIMED_SECONDS
from ganbench.train.probe import COMPILED_SPEEDUP
from ganbench.train.reference import reference_inputs
from ganbench.train.trainer import Trainer

_SECONDS = ("training", "evaluating", "compiling", "timing")


@dataclass(frozen=True)
class TimeEstimate:
    """The engine that a batch of cells would train with, a note on it, and the seconds of each kind of work."""

    engine: str
    note: str
    training: float
    evaluating: float
    compiling: float
    timing: float

    @property
    def seconds(self) -> float:
        """The sum."""
        return self.training + self.evaluating + self.compiling + self.timing


def estimate(cells: Sequence[Cell], metrics: Metrics, device: torch.device, engine: str) -> TimeEstimate:
    """Estimate the time of a batch of cells from a few steps and one evaluation. Raises whatever a plugin raises.

    What compiling gains is not known before it is done: the step is timed uncompiled, and the usual gain is assumed.

    Args:
        cells: The cells of one batch.
        metrics: The suite's metrics.
        device: The device to train on.
        engine: The engine, or ``auto``.

    Returns:
        The seconds of each kind of work, for the whole batch.
    """
    names, cell = metrics.names, cells[0]
    failures: dict[str, None] = {}
    if cell.trained is None:
        dataset = build_dataset(cell.data)

        def refer() -> None:
            _measure(metrics, reference_inputs(cell, dataset, cell.seeds[0], names, device), failures)

        seconds = _seconds(refer, device) * len(cell.seeds)
        note = "; ".join(filter(None, (data_note(cell, dataset), *failures)))
        return TimeEstimate("", note, 0.0, seconds, 0.0, 0.0)
    trainer = Trainer(cells, device, engine)
    if len(cells) > 1 and trainer.probe.serial:
        alone = [estimate([cell], metrics, device, engine) for cell in cells]
        sums = (sum(getattr(each, part) for each in alone) for part in _SECONDS)
        return TimeEstimate(alone[0].engine, alone[0].note, *sums)
    step = trainer.probe.eager_seconds
    if trainer.engine == "serial":
        step = _seconds(lambda: trainer.advance(trainer.start, 0, 1), device)

    def evaluate(final: bool) -> float:
        def measure() -> None:
            inputs = trainer.metric_inputs(trainer.start, 0, 0, names, final=final)
            _measure(metrics, inputs, failures)

        return _seconds(measure, device)

    compiled = trainer.engine == "compiled"
    evaluating = (evaluate(True) + evaluate(False) * (len(cell.evaluations) - 1)) * len(trainer.seeds)
    return TimeEstimate(
        trainer.engine,
        "; ".join(filter(None, (trainer.note, *failures))),
        training=cell.steps * step / (COMPILED_SPEEDUP if compiled else 1),
        evaluating=evaluating,
        compiling=trainer.probe.compile_seconds if compiled else 0.0,
        timing=2 * TIMED_SECONDS if "speed" in names else 0.0,
    )


def _measure(metrics: Metrics, outcome: dict[str, Any], failures: dict[str, None]) -> None:
    """Measure as a run does: a metric that fails costs the others nothing."""
    for row in metrics.of_outcomes([outcome]):
        if isinstance(row, PluginError):
            if out_of_memory(row):
                raise row
            failures |= dict.fromkeys(metrics.salvaged(outcome)[1])


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The seconds that work needs, after it was done once; see ``Stopwatch``."""
    work()
    with Stopwatch(device) as watch:
        work()
    return watch.needed
