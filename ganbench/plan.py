"""The plan: a suite spread out into cells, a cell being one variant on one dataset with all its seeds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from ganbench.suite import Choice, Suite, Variant

#: The variant that stands in every table and is not trained: fresh data scored as if a generator had made it.
ORACLE = "oracle"


@dataclass(frozen=True)
class Cell:
    """One variant on one dataset with all its seeds; ``id`` is a hash of all that defines its numbers."""

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
    metrics: tuple[Choice, ...]

    @property
    def evaluations(self) -> tuple[int, ...]:
        """The steps at which the cell is evaluated: every ``every``, and the last."""
        if self.recipe is None:
            return (0,)
        return (*range(self.every, self.steps, self.every), self.steps)


def plan(suite: Suite) -> tuple[Cell, ...]:
    """The cells of a suite, in its order: for each dataset the oracle, then the variants."""
    recipes: dict[str, Variant | None] = {ORACLE: None, **suite.variants}
    return tuple(
        _cell(suite, dataset, data, variant, recipe)
        for dataset, data in suite.datasets.items()
        for variant, recipe in recipes.items()
    )


def _cell(suite: Suite, dataset: str, data: Choice, variant: str, recipe: Variant | None) -> Cell:
    steps = suite.steps if recipe else 0
    resolved = suite.resolved()
    defining = {
        "dataset": [dataset, resolved["datasets"][dataset]],
        "variant": [variant, resolved["variants"].get(variant)],
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
        metrics=suite.metrics,
    )
