"""What a step costs, beside a plain PyTorch loop in the same run: ``pytest tests/benchmarks --benchmark-enable``.

Each round is 64 steps; ``model_steps_per_second`` (extra info) is what to compare, since a batch of 32 seeds makes
32 model-steps a step. Without ``--benchmark-enable`` each case runs once, so that none of this rots.
"""

from __future__ import annotations

import pytest
from plain_loop import PlainLoop

from ganbench.plan import plan
from ganbench.registry import Registry
from ganbench.suite import parse
from ganbench.train.cell import Trainer

SIZES = [(32, 64), (64, 128), (128, 128)]
STEPS = 64
SUITE = """
suite: step
seeds: {seeds}
budget: {{steps: 1000, batch: {batch}}}
datasets: {{ring8: ring}}
defaults: {{architecture: {{name: mlp, width: {width}}}}}
variants: {{nonsaturating: {{loss: nonsaturating}}}}
"""


def record(benchmark, seeds):
    """Put the rate beside the times, where the benchmark was really timed."""
    if benchmark.enabled:
        benchmark.extra_info["model_steps_per_second"] = STEPS * seeds / benchmark.stats.stats.median


@pytest.mark.parametrize(("width", "batch"), SIZES, ids=lambda value: str(value))
def test_plain_loop(benchmark, width, batch):
    loop = PlainLoop(width, batch)
    benchmark.group = f"width {width}, batch {batch}"

    def steps():
        for _ in range(STEPS):
            loop.step()

    benchmark.pedantic(steps, warmup_rounds=1, rounds=9)
    record(benchmark, 1)


@pytest.mark.parametrize("seeds", [1, 8, 32])
@pytest.mark.parametrize("engine", ["eager", "compiled"])
@pytest.mark.parametrize(("width", "batch"), SIZES, ids=lambda value: str(value))
def test_engine(benchmark, width, batch, engine, seeds, cpu):
    if not benchmark.enabled and (engine == "compiled" or width > SIZES[0][0]):
        pytest.skip("once is enough to see that it runs; compiling is tested elsewhere")
    registry = Registry.load()
    suite = parse(SUITE.format(seeds=seeds, batch=batch, width=width), registry)
    cell = next(cell for cell in plan(suite) if cell.recipe)
    trainer = Trainer(cell, cell.recipe, registry, cpu, engine)
    trainer.prepare()
    benchmark.group = f"width {width}, batch {batch}"
    state, at = trainer.start, 0

    def steps():
        nonlocal state, at
        state, at = trainer.advance(state, at, at + STEPS), at + STEPS

    benchmark.pedantic(steps, warmup_rounds=1, rounds=9)
    record(benchmark, seeds)
