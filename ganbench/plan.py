"""The plan: a suite spread out into cells, a cell being one variant on one dataset with all its seeds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from ganbench.suite import Choice, Suite, Variant


@dataclass(frozen=True)
class Cell:
    """One variant on one dataset with all its seeds; ``id`` is a hash of all that defines its numbers.

    The variant is trained as its ``recipe`` says, or is a ``reference``, which no game has trained.
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
    recipe: Variant | None
    reference: Choice | None
    metrics: tuple[Choice, ...]

    @property
    def evaluations(self) -> tuple[int, ...]:
        """The steps at which the cell is evaluated: every ``every``, and the last."""
        if self.recipe is None:
            return (0,)
        return (*range(self.every, self.steps, self.every), self.steps)


def plan(suite: Suite) -> tuple[Cell, ...]:
    """The cells of a suite, in its order: for each dataset the references, then the variants."""
    rows = {choice.name: choice for choice in suite.references} | suite.variants
    return tuple(
        _cell(suite, dataset, data, variant, row)
        for dataset, data in suite.datasets.items()
        for variant, row in rows.items()
    )


def _cell(suite: Suite, dataset: str, data: Choice, variant: str, row: Variant | Choice) -> Cell:
    recipe, reference = (None, row) if isinstance(row, Choice) else (row, None)
    steps = suite.steps if recipe else 0
    resolved = suite.resolved()
    defining = {
        "dataset": [dataset, resolved["datasets"][dataset]],
        "variant": [variant, row.plain()],
        "seeds": resolved["seeds"],
        "budget": resolved["budget"],
        "evaluate": resolved["evaluate"],
        "metrics": resolved["metrics"],
    }
    digest = hashlib.sha256(json.dumps(defining, sort_keys=True).encode()).hexdigest()[:12]
    return Cell(
        id=digest,
        dataset=dataset,
        variant=variant,
        seeds=suite.seeds,
        steps=steps,
        batch=suite.batch,
        every=suite.every,
        samples=suite.samples,
        data=data,
        recipe=recipe,
        reference=reference,
        metrics=suite.metrics,
    )
