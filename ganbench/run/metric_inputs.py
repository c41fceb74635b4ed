"""The metric inputs of a cell's seeds, trained or of references, a few seeds at a time; and their rows."""

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
    """The metric inputs of those replicas that have trained since the last evaluation, a few replicas at a time.

    Args:
        trainer: The trainer of the batch.
        replicas: The places of the cell's replicas in the batch.
        names: The metric inputs that are wanted.
        survived: For each replica of the batch, how many steps its numbers were finite.
        state: The state of the batch after ``step``.
        step: The generator steps trained.
        before: The step of the last evaluation; replicas that diverged before it are left out.

    Yields:
        A group of seeds: each with its status and its metric inputs.
    """
    cell = trainer.cell
    for some in _few([i for i in replicas if survived[i] >= before], cell, trainer.dataset):
        stand = [Status.DIVERGED if survived[i] < step else Status.DONE for i in some]
        last = [status is Status.DIVERGED or step == cell.steps for status in stand]
        found = trainer.metric_inputs_of(state, step, list(zip(some, last, strict=True)), names)
        yield list(zip([trainer.seeds[i] for i in some], stand, found, strict=True))


def of_reference(
    cell: Cell, dataset: Distribution, names: frozenset[str], device: torch.device
) -> Iterator[list[SeedInputs]]:
    """The metric inputs of all seeds of a cell that is a reference, a few seeds at a time.

    Args:
        cell: The cell.
        dataset: The cell's data set.
        names: The metric inputs that are wanted.
        device: Where to draw the samples.

    Yields:
        A group of seeds: each with its status, done, and its metric inputs.
    """
    for some in _few(cell.seeds, cell, dataset):
        found = (reference_inputs(cell, dataset, seed, names, device) for seed in some)
        yield [(seed, Status.DONE, one) for seed, one in zip(some, found, strict=True)]


def rows(outcomes: Sequence[SeedInputs], metrics: Metrics) -> list[SeedRow]:
    """A row for each seed, without the numbers of a metric that fails. Raises PluginError where memory runs out."""
    measured = metrics.of_outcomes([outcome for _, _, outcome in outcomes])
    found = []
    for (seed, status, outcome), row in zip(outcomes, measured, strict=True):
        if not isinstance(row, PluginError):
            found.append(SeedRow(seed, status, row))
            continue
        if out_of_memory(row):
            raise row
        row, failures = metrics.salvaged(outcome)
        if status is Status.DIVERGED:
            # A metric may fail on samples that are not finite: a remark on them, and no fault of the metric.
            row["note"] = "; ".join(filter(None, (*failures, str(row.get("note", "")))))
            failures = []
        found.append(SeedRow(seed, status, row, tuple(failures)))
    return found


def _few(all_of_them: Sequence[T], cell: Cell, dataset: Distribution) -> Iterator[Sequence[T]]:
    """Groups so small that the samples of a group fit into memory together."""
    size = math.ceil(TOGETHER / (cell.samples * math.prod(dataset.shape)))
    return (all_of_them[at : at + size] for at in range(0, len(all_of_them), size))
