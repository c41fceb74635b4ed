"""How long cells will take on this device, from a few steps and one evaluation, without training them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.core.stopwatch import Stopwatch
from ganbench.data.labels import classes_of
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Architecture
from ganbench.run.data_note import data_note
from ganbench.run.evaluate import Metrics
from ganbench.suite.plan import Cell, same_step
from ganbench.train.data import build_dataset
from ganbench.train.engine.chunks import in_cache
from ganbench.train.engine.speed import TIMED_SECONDS
from ganbench.train.probe import COMPILED_SPEEDUP
from ganbench.train.reference import reference_inputs
from ganbench.train.trainer import Trainer

#: So many seeds of a cell are built: enough to see that they are not alike.
_BUILT = 2
#: Seconds that a compiled step of one model takes on a CPU for each of its operations, besides its products: fitted to
#: the peer table of results/measured/peers.md, widths 32 to 128.
_OPERATION = 1e-7
_SECONDS = ("preparing", "training", "evaluating", "compiling", "timing")


@dataclass(frozen=True)
class TimeEstimate:
    """The engine that a batch of cells would train with, a note on it, and the seconds of each kind of work."""

    engine: str
    note: str
    preparing: float
    training: float
    evaluating: float
    compiling: float
    timing: float

    @property
    def seconds(self) -> float:
        """The sum."""
        return self.preparing + self.training + self.evaluating + self.compiling + self.timing


class Estimator:
    """Estimates the time of one batch of cells after another; cells that are the same step are looked at once.

    ``metrics``: the suite's. ``device``: where the cells would train. ``engine``: the engine, or ``auto``.
    """

    def __init__(self, metrics: Metrics, device: torch.device, engine: str) -> None:
        self._metrics, self._device, self._engine = metrics, device, engine
        self._known: dict[Hashable, TimeEstimate] = {}

    def estimate(self, cells: Sequence[Cell]) -> TimeEstimate:
        """The seconds of each kind of work for a whole batch. Raises whatever a plugin raises."""
        cell = cells[0]
        if cell.trained is None:
            return self._of_reference(cell)
        dataset = build_dataset(cell.data)
        seeds = sum(len(each.seeds) for each in cells)
        build = bind(cell.trained.architecture.plugin(Architecture).build, {})
        classes = classes_of(dataset) if "classes" in build.names else 0
        key = (same_step(cell, cell.trained), len(cells), seeds, tuple(dataset.shape), classes)
        if key not in self._known:
            self._known[key] = self._of_trained(cells, seeds)
        return self._known[key]

    def _of_reference(self, cell: Cell) -> TimeEstimate:
        dataset, failures = build_dataset(cell.data), dict[str, None]()

        def refer() -> None:
            names = self._metrics.names
            self._measure(reference_inputs(cell, dataset, cell.seeds[0], names, self._device), failures)

        seconds = self._seconds(refer) * len(cell.seeds)
        note = "; ".join(filter(None, (data_note(cell, dataset), *failures)))
        return TimeEstimate("", note, 0.0, 0.0, seconds, 0.0, 0.0)

    def _of_trained(self, cells: Sequence[Cell], seeds: int) -> TimeEstimate:
        names, cell, failures = self._metrics.names, cells[0], dict[str, None]()
        few = [replace(each, seeds=each.seeds[:_BUILT]) for each in cells]
        with Stopwatch(self._device) as watch:
            trainer = Trainer(few, self._device, self._engine, replicas=seeds)
        if len(cells) > 1 and trainer.probe.serial:
            alone = [self.estimate([each]) for each in cells]
            sums = (sum(getattr(each, part) for each in alone) for part in _SECONDS)
            return TimeEstimate(alone[0].engine, alone[0].note, *sums)

        timed = "speed" in names

        def evaluate(final: bool) -> float:
            def measure() -> None:
                inputs = trainer.metric_inputs(trainer.start, 0, 0, names, final=final)
                self._measure(inputs, failures)

            return self._seconds(measure)

        return TimeEstimate(
            trainer.engine,
            "; ".join(filter(None, (trainer.note, *failures))),
            preparing=watch.needed,
            training=cell.steps * self._step(trainer, seeds),
            evaluating=(evaluate(True) + evaluate(False) * (len(cell.evaluations) - 1)) * seeds,
            # To time one model alone compiles it anew.
            compiling=trainer.probe.compile_seconds * (1 + timed) if trainer.engine == "compiled" else 0.0,
            timing=2 * TIMED_SECONDS * timed,
        )

    def _step(self, trainer: Trainer, seeds: int) -> float:
        """Seconds of a step of so many seeds; of the trainer's where they are fewer."""
        if trainer.engine == "serial":
            return self._seconds(lambda: trainer.advance(trainer.start, 0, 1)) * seeds / len(trainer.seeds)
        if trainer.engine == "eager":
            return trainer.probe.eager_seconds
        if self._device.type == "cuda":  # the usual gain: what compiling gains is not known before it is done
            return trainer.probe.eager_seconds / COMPILED_SPEEDUP
        cost = trainer.probe.cost
        chunks = in_cache(seeds, cost, torch.get_num_threads())
        rounds = math.ceil(len(chunks.parts()) / chunks.workers)
        return rounds * chunks.size * (trainer.product_seconds() + cost.operations * _OPERATION)

    def _measure(self, outcome: dict[str, Any], failures: dict[str, None]) -> None:
        """Measure as a run does: a metric that fails costs the others nothing."""
        for row in self._metrics.of_outcomes([outcome]):
            if isinstance(row, PluginError):
                if out_of_memory(row):
                    raise row
                failures |= dict.fromkeys(self._metrics.salvaged(outcome)[1])

    def _seconds(self, work: Callable[[], object]) -> float:
        """The seconds that work needs, after it was done once; see ``Stopwatch``."""
        work()
        with Stopwatch(self._device) as watch:
            work()
        return watch.needed
