"""How long cells will take: one look for all that are the same step, and what a compiled step is estimated from."""

from __future__ import annotations

import pytest
import torch

from ganbench.run import estimate
from ganbench.run.estimate import Estimator
from ganbench.run.evaluate import bind_metrics
from ganbench.suite.load import parse
from ganbench.suite.plan import batches, plan
from ganbench.train.engine.products import product_seconds
from ganbench.train.trainer import Trainer

SUITE = """
suite: small
seeds: 5
budget: {{steps: 40, batch: 16}}
evaluate: {{samples: 100}}
datasets: {{a: {{name: ring, std: 0.1}}, b: {{name: grid, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8, depth: 1}}, loss: minimax}}
variants:
  slow: {{}}
  fast: {{optimizer: {{lr: 1e-2}}}}
  {more}
references: []
metrics: [modes, throughput]
"""


@pytest.fixture
def looked(shipped, cpu, monkeypatch):
    """``looked(more)``: the batches of a suite with one more variant, their estimates, and the seeds of each look."""

    def of(more: str, engine: str = "eager"):
        built = []

        def trainer(cells, *rest, **named):
            built.append((sum(len(cell.seeds) for cell in cells), named["replicas"]))
            return Trainer(cells, *rest, **named)

        monkeypatch.setattr(estimate, "Trainer", trainer)
        suite = parse(SUITE.format(more=more), shipped)
        estimator = Estimator(bind_metrics(suite.metrics), cpu, engine)
        together = [cells for cells in batches(plan(suite)) if cells[0].trained]
        return [estimator.estimate(cells) for cells in together], built

    return of


@pytest.mark.parametrize(
    ("more", "looks"),
    [
        ("same: {optimizer: {discriminator: {betas: [0.0, 0.9]}}}", 1),
        ("another: {loss: hinge}", 2),
        ("averaged: {average: 0.9}", 2),
        ("wider: {architecture: {width: 9}}", 2),
        # Rings and grids have other numbers of classes, for which other networks are built.
        ("labelled: {architecture: {name: conditional-mlp, width: 8, depth: 1}}", 3),
        ("penalised: {penalty: {name: r1, weight: 1}}", 2),
    ],
)
def test_cells_that_are_the_same_step_share_a_look(more, looks, looked):
    estimates, built = looked(more)
    assert len(estimates) == 6
    assert len({id(each) for each in estimates}) == looks
    # A few seeds are built, and all are counted.
    assert built == [(2, 5)] * looks


def test_an_estimate_is_the_sum_of_what_takes_time(looked):
    (one, *_), _ = looked("other: {loss: hinge}")
    parts = (one.preparing, one.training, one.evaluating, one.compiling, one.timing)
    assert one.seconds == pytest.approx(sum(parts))
    assert min(one.preparing, one.training, one.evaluating, one.timing) > 0
    assert one.compiling == 0


def test_a_compiled_step_is_its_products_and_a_little_for_each_operation(looked, monkeypatch):
    monkeypatch.setattr(Trainer, "product_seconds", lambda trainer: 1.0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    (one, *_), _ = looked("other: {loss: hinge}", "compiled")
    # 5 seeds on 2 cores: one core has 3 of them; 40 steps.
    assert one.training == pytest.approx(120, rel=0.01)
    # All seeds together, and one model alone, which the throughput is measured of.
    assert one.compiling == 20.0


def test_the_products_of_a_step_are_timed_and_nothing_else():
    big, small, other = torch.randn(512, 512), torch.randn(64, 64), torch.randn(200_000)
    assert product_seconds(lambda: other.exp()) == 0.0
    assert product_seconds(lambda: [big @ big for _ in range(3)]) > product_seconds(lambda: small @ small)
