"""Samples from anywhere, scored as a run scores those of its generators: the same data, the same metrics.

Metrics that need a game (its losses, its discriminator or its speed) do not apply to samples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import PluginError, error_line, raise_if_stopped
from ganbench.core.rng import stream
from ganbench.data.remarks import remarks
from ganbench.metrics.points import finite, from_tensor
from ganbench.plugin.column import check_columns
from ganbench.plugin.types import Distribution, MetricValue
from ganbench.record.samples import Samples
from ganbench.run.evaluate import Metrics, bind_metrics
from ganbench.score.save import Score
from ganbench.score.target import Target
from ganbench.suite.document import flow
from ganbench.suite.schema import FLOOR
from ganbench.train.data import build_dataset, draw, forget_held_out, held_out, metric_inputs

#: Fresh data is scored too, once for each of these seeds: the first rows of a run's oracle.
FLOOR_SEEDS = (0, 1, 2, 3, 4)
#: Standard deviations whose ratio is beyond this look like a mistake of scale.
_ODD_SCALE = 1.6
#: Samples are standardised where means are so near 0 and standard deviations so near 1.
_STANDARD = 0.05


def fitted(
    values: np.ndarray, shape: tuple[int, ...], *, rows: bool = False, names: Sequence[str] = ()
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The values in the shape of samples.

    Args:
        values: The array of a file.
        shape: The shape of one sample.
        rows: Whether the values are from a table, whose rows are flat.
        names: Those of the table's columns, if it has any.

    Returns:
        The samples, (n, *shape), and a note where they had another shape before.

    Raises:
        ValueError: In one line, with what might help: the values are no such samples.
    """
    if values.shape[1:] == shape:
        return values, ()
    flat = values.shape[1:] in ((), (math.prod(shape),)) and values.size == len(values) * math.prod(shape)
    if flat and (rows or shape == (1,)):
        return values.reshape(-1, *shape), (f"samples of shape {values.shape} are taken as {_batch(shape)}",)
    raise ValueError(
        f"must have the shape {_batch(shape)}, not {values.shape}{_shape_hint(values, shape, rows, names)}"
    )


def _batch(shape: tuple[int, ...]) -> str:
    return f"(n, {', '.join(map(str, shape))})"


def _shape_hint(values: np.ndarray, shape: tuple[int, ...], rows: bool, names: Sequence[str]) -> str:
    axes, size = len(shape) + 1, math.prod(shape)
    if rows and values.ndim == 2 and values.shape[1] > size:
        return _surplus(values, names, values.shape[1] - size)
    if values.ndim == axes == 2 and values.shape[0] == shape[0]:
        return ": transpose it"
    if values.ndim == axes > 2 and np.moveaxis(values, -1, 1).shape[1:] == shape:
        return f": the channels come first, {(0, axes - 1, *range(1, axes - 1))} transposes it"
    if values.shape == shape:
        return ": it is a single sample"
    inner = values.shape[1:]
    if math.prod(inner) == size or values.shape[-len(shape) :] == shape or (not inner and values.size % size == 0):
        return f": reshape it to {(values.size // size, *shape)}"
    return ""


def _surplus(values: np.ndarray, names: Sequence[str], surplus: int) -> str:
    """Which columns of a table to leave out: those of whole numbers, where these are as many as are too many."""
    named = [repr(name) for name in names] or [f"column {index}" for index in range(values.shape[1])]
    whole = [name for name, column in zip(named, values.T, strict=True) if _is_whole(column)]
    if len(whole) == surplus:
        return f": leave out {' and '.join(whole)}, of whole numbers alone"
    listed = f"; its columns are {', '.join(named[:8])}{' ...' if len(named) > 8 else ''}" if names else ""
    return f": leave out the columns that are no coordinates{listed}"


def _is_whole(column: np.ndarray) -> bool:
    return bool((np.isfinite(column) & (column == np.floor(column))).all())


def score(
    samples: Samples,
    target: Target,
    *,
    seed: int | None = None,
    device: torch.device | str = "cpu",
    say: Callable[[str], None] = lambda doing: None,
) -> Score:
    """Score samples as the last evaluation of a seed is scored in a run.

    There is as much held-out data as samples. With a generator's own seed the numbers are the run's.

    Args:
        samples: The samples.
        target: The data set and the metrics.
        seed: The seed of the held-out data; by default the one in the file, else 0.
        device: Where to compute.
        say: Is told what is being done, in a few words.

    Returns:
        The score.

    Raises:
        ValueError: The samples do not have the data's shape, or two metrics fill the same column.
        PluginError: The dataset fails.
    """
    bound = bind_metrics(target.metrics)
    columns = tuple(column for _, column in bound.columns)
    check_columns(columns)
    say("the data set is built")
    dataset = build_dataset(target.dataset)
    try:
        values, fit = fitted(samples.values, tuple(dataset.shape), rows=samples.rows, names=samples.names)
    except ValueError as error:
        raise ValueError(f"{samples.path}: {error}") from None
    seed = (samples.seed or 0) if seed is None else seed
    place = torch.device(device)
    points = torch.from_numpy(values).to(place)

    def measured(some: Tensor, at: int) -> tuple[dict[str, MetricValue], tuple[str, ...]]:
        forget_held_out()  # no other seed's is used again
        return _measured(bound, metric_inputs(some, dataset, at, bound.names, final=True))

    def of_fresh(at: int) -> tuple[dict[str, MetricValue], tuple[str, ...]]:
        say(f"fresh data is measured, {at + 1} of {len(FLOOR_SEEDS)}")
        return measured(_fresh(dataset, len(points), at, place), at)

    try:
        say(f"{len(points):,} samples are measured")
        own, failures = measured(points, seed)
        floor = {at: of_fresh(at) for at in FLOOR_SEEDS}
        odd = tuple(_notes(points, dataset, seed))
    except BaseException as error:  # a metric's failure is among the failures
        raise_if_stopped(error)
        raise PluginError(f"dataset {target.dataset.name}: {error_line(error)}") from error
    note = own.pop("note")
    # A failure on the data itself tells nothing about the samples, but must be reported.
    amiss = dict.fromkeys(line for _, lines in floor.values() for line in lines)
    return Score(
        samples=replace(samples, values=values),
        target=target,
        seed=seed,
        device=str(place),
        columns=columns,
        values=own,
        floor={at: row for at, (row, _) in floor.items()},
        notes=(
            *_of_other_data(samples, target),
            *target.notes,
            *samples.notes,
            *fit,
            *odd,
            *remarks(dataset),
            *([str(note)] if note else []),
        ),
        failures=(*failures, *(f"on the data itself: {line}" for line in amiss)),
    )


def _fresh(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """The samples that the reference ``oracle`` of a run draws for this seed."""
    return draw(dataset, n, stream(seed, f"reference.{FLOOR}.samples", 0, device))


def _measured(metrics: Metrics, known: dict[str, Any]) -> tuple[dict[str, MetricValue], tuple[str, ...]]:
    """All columns and ``note``, without those of metrics that failed; and a line for each of these."""
    row = metrics.of_outcomes([known])[0]
    failures: list[str] = []
    if isinstance(row, PluginError):
        row, failures = metrics.salvaged(known)
    return {name: row.get(name) for name in (*(column.name for _, column in metrics.columns), "note")}, tuple(failures)


def _of_other_data(samples: Samples, target: Target) -> Iterable[str]:
    """A line where the file states that its samples are of another data set, as one of other parameters is."""
    try:
        stated, asked = json.loads(samples.dataset or "null"), target.dataset.plain()
    except ValueError:
        return
    if not isinstance(stated, dict) or stated == asked:
        return
    names = [name for name in {**stated, **asked} if stated.get(name) != asked.get(name)]
    own, other = (flow({name: one[name] for name in ["name", *names] if name in one}) for one in (stated, asked))
    yield (
        f"the generator of these samples was trained on {own}, and they are scored against {other}: for its own data "
        "set give --suite SUITE and its name there"
    )


def _notes(samples: Tensor, dataset: Distribution, seed: int) -> Iterable[str]:
    points, real = finite(from_tensor(samples)), from_tensor(held_out(dataset, 2_000, seed, samples.device))
    if len(points) < 2 or len(real) < 2:
        return
    if len(dataset.shape) == 1:
        own, theirs = ([index for index, column in enumerate(each.T) if _is_whole(column)] for each in (points, real))
        odd = [index for index in own if index not in theirs and np.ptp(points[:, index]) > 0]
        if odd:
            yield (
                f"column {odd[0]} of the samples holds whole numbers alone, and the data's does not: "
                "row numbers or labels?"
            )
    if _standardised(points) and not _standardised(real, 2 * _STANDARD):
        yield (
            f"the samples have mean 0 and standard deviation 1, and lie in {_range(points)}, the data in "
            f"{_range(real)}: were they standardised? Bring them back to the data's scale, x * std + mean"
        )
        return
    spread, usual = (math.sqrt(each.var(axis=0).sum()) for each in (points, real))
    away = float(np.linalg.norm(points.mean(axis=0) - real.mean(axis=0)))
    if usual > 0 and (not 1 / _ODD_SCALE < spread / usual < _ODD_SCALE or away > 3 * usual):
        yield (
            f"the samples lie in {_range(points)}, the data in {_range(real)}; their standard deviation is "
            f"{spread / usual:.3g} times the data's: another scale?"
        )


def _standardised(points: np.ndarray, tolerance: float = _STANDARD) -> bool:
    """Whether each column that is not constant, or all numbers together, have mean 0 and standard deviation 1."""
    spreads = points.std(axis=0)
    means = points.mean(axis=0)
    apart = np.abs(means).max() < tolerance and bool((spreads > 0).any())
    apart = apart and np.abs(spreads[spreads > 0] - 1).max() < tolerance
    return bool(apart or (abs(points.mean()) < tolerance and abs(points.std() - 1) < tolerance))


def _range(points: np.ndarray) -> str:
    return f"[{points.min():.3g}, {points.max():.3g}]"
