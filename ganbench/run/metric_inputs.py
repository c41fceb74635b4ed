"""The outcomes of a cell's seeds, trained or of references, a few at a time, and what the metrics make of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import torch

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.plugin.types import Distribution
from ganbench.record.events import SeedRow
from ganbench.record.status import Status
from ganbench.run.evaluate import Metrics
from ganbench.suite.plan import Cell
from ganbench.train.reference import reference_inputs
from ganbench.train.step.step import State
from ganbench.train.trainer import Trainer

#: A seed, how it stands, and what metrics may name about it.
SeedInputs = tuple[int, Status, dict[str, Any]]
#: How many numbers the samples that are measured at once may hold: 64 MiB.
TOGETHER = 2**24

T = TypeVar("T")


def of_models(
    trainer: Trainer,
    replicas: range,
    names: frozenset[str],
    survived: Sequence[int],
    state: State,
    step: int,
    before: int,
) -> Iterator[list[SeedInputs]]:
    """The outcomes of those of the replicas that trained since the step ``before``."""
    cell = trainer.cell
    for some in _few([i for i in replicas if survived[i] >= before], cell, trainer.dataset):
        stand = [Status.DIVERGED if survived[i] < step else Status.DONE for i in some]
        last = [status is Status.DIVERGED or step == cell.steps for status in stand]
        found = trainer.metric_inputs_of(state, step, list(zip(some, last, strict=True)), names)
        yield list(zip([trainer.seeds[i] for i in some], stand, found, strict=True))


def of_reference(
    cell: Cell, dataset: Distribution, names: frozenset[str], device: torch.device
) -> Iterator[list[SeedInputs]]:
    """The outcomes of all seeds of a cell that is a reference."""
    for some in _few(cell.seeds, cell, dataset):
        found = (reference_inputs(cell, dataset, seed, names, device) for seed in some)
        yield [(seed, Status.DONE, one) for seed, one in zip(some, found, strict=True)]


def rows(outcomes: Sequence[SeedInputs], metrics: Metrics) -> list[SeedRow]:
    """A row for each outcome. Raises PluginError where a metric fails on models that train."""
    measured = metrics.of_outcomes([outcome for _, _, outcome in outcomes])
    found = []
    for (seed, status, outcome), row in zip(outcomes, measured, strict=True):
        if isinstance(row, PluginError):
            # A metric may have no answer for samples that are not finite: no reason to lose the other seeds.
            if status is not Status.DIVERGED or out_of_memory(row):
                raise row
            row, failures = metrics.salvaged(outcome)
            row["note"] = "; ".join(filter(None, (*failures, str(row.get("note", "")))))
        found.append(SeedRow(seed, status, row))
    return found


def _few(all_of_them: Sequence[T], cell: Cell, dataset: Distribution) -> Iterator[Sequence[T]]:
    """As many at a time as have few samples together: their outcomes are held in memory at once."""
    size = math.ceil(TOGETHER / (cell.samples * math.prod(dataset.shape)))
    return (all_of_them[at : at + size] for at in range(0, len(all_of_them), size))
