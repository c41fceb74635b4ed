"""The plan: a suite expanded into cells. A cell is one row of the table (a variant at one setting) on one dataset."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from ganbench.core.expectation import Expectation
from ganbench.core.shard import Shard
from ganbench.suite.choice import Choice
from ganbench.suite.suite import Suite, Variant
from ganbench.suite.sweep import Setting, row_name, settings


@dataclass(frozen=True)
class Cell:
    """One row on one dataset with all its seeds; ``id`` is a hash of all that defines its numbers.

    ``variant`` is the name of the row. The row is a Variant that is ``trained``, or else a ``reference``, which is not
    trained as a GAN. In a sweep the row is the variant ``family`` at one ``setting``; otherwise family and variant are
    the same name. ``expect``: how the row is to end, which changes none of its numbers. ``minutes``: how long it may
    train; None for no limit.
    """

    id: str
    dataset: str
    variant: str
    seeds: tuple[int, ...]
    steps: int
    batch: int
    every: int
    samples: int
    data: Choice
    trained: Variant | None
    reference: Choice | None
    metrics: tuple[Choice, ...]
    precision: str
    family: str
    setting: Setting = ()
    expect: Expectation | None = None
    minutes: float | None = None

    @property
    def evaluations(self) -> tuple[int, ...]:
        """The steps at which the cell is evaluated: every ``every`` steps, and the last step."""
        if self.trained is None:
            return (0,)
        return (*range(self.every, self.steps, self.every), self.steps)


def plan(suite: Suite) -> tuple[Cell, ...]:
    """The cells of a suite, in its order: for each dataset the references, then each variant with its settings."""
    resolved = suite.resolved()
    return tuple(_cell(suite, resolved, dataset, row) for dataset in suite.datasets for row in _rows(suite))


def batches(cells: Sequence[Cell]) -> tuple[tuple[Cell, ...], ...]:
    """Group the cells that can train as one batch, in the given order; a cell that fits no other is alone.

    The cells of a batch are settings of one family on one dataset. Their variants differ only in floats, or lists of
    floats of one length, of the loss, the update and the optimizers: each seed can have its own. Whole numbers, true or
    false, and text can change which code runs, and so can each parameter that networks are built with.
    """
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.id if cell.trained is None else _program(cell, cell.trained), []).append(cell)
    return tuple(map(tuple, found.values()))


def same_step(cell: Cell, variant: Variant) -> str:
    """A hash of what decides what a step computes, up to numbers: cells of one hash differ in floats and in data."""
    return _digest([cell.steps, cell.batch, cell.precision, variant.average is None, _programs(variant)])


def of_shard(cells: Sequence[Cell], shard: Shard) -> tuple[Cell, ...]:
    """The cells of a plan that a shard of it trains, in the plan's order.

    The cells of a batch stay together: they round together, and their speed is measured together. The largest batches,
    by model-steps, are dealt first, each to the shard that has least: it depends on nothing but the plan.

    Args:
        cells: all cells of the plan
        shard: which part

    Returns:
        The shard's cells.

    Raises:
        ValueError: there are fewer batches than shards, so that some would have none
    """
    return shards(cells, shard.of, shard)[shard.index - 1]


def shards(cells: Sequence[Cell], of: int, meant: Shard | None = None) -> tuple[tuple[Cell, ...], ...]:
    """All shards of a plan, see ``of_shard``.

    Args:
        cells: all cells of the plan
        of: how many shards
        meant: the one that was asked for, for the message

    Returns:
        The cells of each shard.

    Raises:
        ValueError: there are fewer batches than shards
    """
    together = batches(cells)
    if of > len(together):
        count = "1 batch" if len(together) == 1 else f"{len(together)} batches"
        raise ValueError(
            f"{meant or f'{of} shards'}: the suite has only {count} of cells that train together: "
            f"write i/n with n up to {len(together)}"
        )
    loads = [(0, index) for index in range(of)]
    home: dict[str, int] = {}
    for batch in sorted(together, key=lambda batch: -_work(batch)):
        load, least = loads[0]
        heapq.heapreplace(loads, (load + _work(batch), least))
        home |= {cell.id: least for cell in batch}
    found: list[list[Cell]] = [[] for _ in range(of)]
    for cell in cells:
        found[home[cell.id]].append(cell)
    return tuple(map(tuple, found))


def _work(batch: Sequence[Cell]) -> int:
    """The model-steps of a batch; at least 1 a seed, so that what does not train counts too."""
    return sum(max(1, cell.steps) * len(cell.seeds) for cell in batch)


@dataclass(frozen=True)
class _Row:
    name: str
    family: str
    setting: Setting
    trained: Variant | None
    reference: Choice | None

    def plain(self) -> dict[str, Any]:
        """The row's variant or reference as a suite file writes it."""
        made_of = self.trained or self.reference
        assert made_of is not None
        return made_of.plain()


def _rows(suite: Suite) -> Iterator[_Row]:
    for choice in suite.references:
        yield _Row(choice.name, choice.name, (), None, choice)
    for family, variant in suite.variants.items():
        for setting in settings(suite.sweeps.get(family, {})):
            yield _Row(row_name(family, setting), family, setting, variant.at(setting), None)


def _cell(suite: Suite, resolved: Mapping[str, Any], dataset: str, row: _Row) -> Cell:
    defining = {
        "dataset": [dataset, resolved["datasets"][dataset]],
        "variant": [row.name, row.family, row.setting, row.plain()],
        "seeds": resolved["seeds"],
        "budget": resolved["budget"],
        "precision": resolved["precision"],
        "evaluate": resolved["evaluate"],
        "metrics": resolved["metrics"],
    }
    return Cell(
        id=_digest(defining),
        dataset=dataset,
        variant=row.name,
        seeds=suite.seeds,
        steps=suite.steps if row.trained else 0,
        batch=suite.batch,
        every=suite.every,
        samples=suite.samples,
        data=suite.datasets[dataset],
        trained=row.trained,
        reference=row.reference,
        metrics=suite.metrics,
        precision=suite.precision,
        family=row.family,
        setting=row.setting,
        expect=suite.expect.get(row.family, {}).get(dataset) if row.trained else None,
        minutes=suite.minutes,
    )


def _program(cell: Cell, variant: Variant) -> str:
    """A hash of all that the cells of one batch have in common."""
    return _digest(
        {
            "cell": [cell.dataset, cell.family, cell.seeds, cell.steps, cell.batch, cell.every, cell.samples],
            "data": cell.data.plain(),
            "metrics": [choice.plain() for choice in cell.metrics],
            "precision": cell.precision,
            "variant": _programs(variant),
        }
    )


def _programs(variant: Variant) -> list[Any]:
    return [
        [kind, choice.name, choice.plain() if kind == "architecture" else _program_of(choice)]
        for kind, choice in variant.choices()
    ]


def _program_of(choice: Choice) -> Any:
    structural = {name: choice.parameters[name] for name in choice.structural}
    return [to_jsonable_python(structural), _shape(choice.parameters)]


def _shape(value: Any) -> Any:
    """A value with its floats left out."""
    if type(value) is float:
        return ["float"]
    if isinstance(value, list | tuple) and value and all(type(one) is float for one in value):
        return ["floats", len(value)]
    if isinstance(value, Mapping):
        return {name: _shape(one) for name, one in value.items()}
    return ["as it is", to_jsonable_python(value)]


def _digest(content: Any) -> str:
    plain = to_jsonable_python(content)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
