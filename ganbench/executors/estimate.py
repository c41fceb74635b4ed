"""How long a cell will take on this device, from a few steps and one evaluation, without training it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from ganbench.failure import PluginError
from ganbench.measure.evaluate import Metrics
from ganbench.plan import Cell
from ganbench.registry import Registry
from ganbench.train.cell import Trainer
from ganbench.train.data import build_dataset
from ganbench.train.probe import COMPILE_SECONDS, COMPILED_SPEEDUP
from ganbench.train.reference import reference_outcome
from ganbench.train.speed import TIMED_SECONDS


@dataclass(frozen=True)
class Estimate:
    """The engine that a cell would train with, why if there is something to say, and seconds by what they go to."""

    engine: str
    note: str
    training: float
    evaluating: float
    compiling: float
    timing: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.training + self.evaluating + self.compiling + self.timing


def estimate(cell: Cell, metrics: Metrics, registry: Registry, device: torch.device, engine: str) -> Estimate:
    """Measure a few steps and one evaluation. Raises whatever a plugin raises."""
    names = metrics.names
    if cell.recipe is None:
        dataset = build_dataset(cell.data, registry)

        def refer() -> None:
            _measure(metrics, reference_outcome(cell, registry, dataset, cell.seeds[0], names, device))

        return Estimate("", "", 0.0, _seconds(refer) * len(cell.seeds), 0.0, 0.0)
    chosen = Trainer(cell, cell.recipe, registry, device, engine)
    # What compiling would gain is not known before it is done: time the step as it is, and reckon with the usual gain.
    compiled = chosen.engine == "compiled"
    trainer = Trainer(cell, cell.recipe, registry, device, "eager") if compiled else chosen
    trainer.advance(trainer.start, 0, 1)
    steps = min(5, cell.steps)

    def train() -> None:
        trainer.advance(trainer.start, 0, steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    step = _seconds(train) / steps

    def evaluate(final: bool) -> float:
        return _seconds(lambda: _measure(metrics, trainer.outcome(trainer.start, 0, 0, names, final=final)))

    return Estimate(
        chosen.engine,
        chosen.note,
        training=cell.steps * step / (COMPILED_SPEEDUP if compiled else 1),
        evaluating=(evaluate(True) + evaluate(False) * (len(cell.evaluations) - 1)) * len(cell.seeds),
        compiling=COMPILE_SECONDS if compiled else 0.0,
        timing=2 * TIMED_SECONDS if "speed" in metrics.names else 0.0,
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
