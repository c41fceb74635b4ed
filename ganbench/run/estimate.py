"""How long cells will take on this device, from a few steps and one evaluation, without training them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ganbench.core.errors import PluginError
from ganbench.run.data_note import data_note
from ganbench.run.evaluate import Metrics
from ganbench.suite.plan import Cell
from ganbench.train.data import build_dataset
from ganbench.train.engine.speed import TIMED_SECONDS
from ganbench.train.probe import COMPILE_SECONDS, COMPILED_SPEEDUP
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
    if cell.trained is None:
        dataset = build_dataset(cell.data)

        def refer() -> None:
            _measure(metrics, reference_inputs(cell, dataset, cell.seeds[0], names, device))

        return TimeEstimate("", data_note(cell, dataset), 0.0, _seconds(refer) * len(cell.seeds), 0.0, 0.0)
    trainer = Trainer(cells, device, engine)
    if len(cells) > 1 and trainer.probe.serial:
        alone = [estimate([cell], metrics, device, engine) for cell in cells]
        sums = (sum(getattr(each, part) for each in alone) for part in _SECONDS)
        return TimeEstimate(alone[0].engine, alone[0].note, *sums)
    step = trainer.probe.eager_seconds
    if trainer.engine == "serial":
        step = _seconds(lambda: trainer.advance(trainer.start, 0, 1))

    def evaluate(final: bool) -> float:
        return _seconds(lambda: _measure(metrics, trainer.metric_inputs(trainer.start, 0, 0, names, final=final)))

    compiled = trainer.engine == "compiled"
    return TimeEstimate(
        trainer.engine,
        trainer.note,
        training=cell.steps * step / (COMPILED_SPEEDUP if compiled else 1),
        evaluating=(evaluate(True) + evaluate(False) * (len(cell.evaluations) - 1)) * len(trainer.seeds),
        compiling=COMPILE_SECONDS if compiled else 0.0,
        timing=2 * TIMED_SECONDS if "speed" in names else 0.0,
    )


def _measure(metrics: Metrics, outcome: dict[str, Any]) -> None:
    for row in metrics.of_outcomes([outcome]):
        if isinstance(row, PluginError):
            raise row


def _seconds(work: object) -> float:
    assert callable(work)
    work()
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
