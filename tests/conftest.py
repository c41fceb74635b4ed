"""What all tests share: the shipped plugins, and cells small enough to train in a test."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

from ganbench.plan import Cell, plan
from ganbench.registry import Registry
from ganbench.suite import parse

# The same examples on every machine and in every run, however slow: a test that fails, fails for everybody.
settings.register_profile("ganbench", derandomize=True, deadline=None)
settings.load_profile("ganbench")

#: A suite of one variant; ``{}`` is the variant's mapping.
SMALL = """
suite: small
seeds: {seeds}
budget: {{steps: {steps}, batch: {batch}}}
evaluate: {{every: {every}, samples: 500}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 16}}}}
variants: {{it: {variant}}}
metrics: [jsd, modes]
"""


@pytest.fixture(scope="session")
def shipped() -> Registry:
    """The shipped plugins."""
    return Registry.load()


@pytest.fixture(scope="session")
def cell(shipped: Registry):
    """A small cell: ``cell("{loss: minimax}", seeds=4, steps=100)``."""

    def build(
        variant: str,
        seeds: int | list[int] = 4,
        steps: int = 100,
        every: int = 50,
        registry: Registry = shipped,
        batch: int = 32,
    ) -> Cell:
        suite = parse(SMALL.format(variant=variant, seeds=seeds, steps=steps, every=every, batch=batch), registry)
        return next(cell for cell in plan(suite) if cell.recipe)

    return build


@pytest.fixture(scope="session")
def cpu() -> torch.device:
    return torch.device("cpu")
