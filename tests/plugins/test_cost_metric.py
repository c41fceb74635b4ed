"""The metric of costs: what the trainer counted, said of the cell in the table's own columns."""

from __future__ import annotations

import pytest
import torch

from ganbench.plugin.binding import bind
from ganbench.plugin.column import Column
from ganbench.plugin.kinds import CELL_NAMES, METRIC_NAMES, SEED_NAMES
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Metric
from ganbench.run.evaluate import Metrics, bind_metrics
from ganbench.score.target import needed
from ganbench.suite.choice import Choice
from ganbench.train.engine.cost import CellCost, StepCost
from ganbench.train.engine.speed import CellSpeed, Speed

STEP = StepCost(
    operations=264, flops=10**9, bytes=3 * 10**7, peak_bytes=10**6, parameters=99, state_bytes=1200, draw_bytes=34
)
SAID = {
    "operations_per_step": 264,
    "flops_per_step": 10**9,
    "bytes_per_step": 3 * 10**7,
    "memory_per_step": 10**6,
    "memory_per_seed": 1234,
    "parameters": 99,
    "kernels_per_step": 41.5,
    "graph_breaks": 0,
    "recompilations": 1,
    "peak_memory": 2**30,
}
COST = CellCost(STEP, kernels=41.5, graph_breaks=0, recompilations=1, peak_memory=2**30, seeds=8)
SPEED = CellSpeed(Speed(2.0, 1.0, 3.0), Speed(2.0, 1.0, 3.0))


@pytest.fixture
def both(shipped):
    return bind_metrics([Choice.of(shipped.get("metric", name), {}) for name in ("cost", "throughput")])


def test_it_says_what_was_counted(shipped):
    assert shipped.get("metric", "cost").value.measure(COST) == SAID


def test_every_column_is_one_value_for_all_seeds_and_less_is_better_but_for_parameters(shipped):
    columns = shipped.get("metric", "cost").value.columns
    assert [column.name for column in columns] == list(SAID)
    assert {column.summary for column in columns} == {"same"}
    assert {column.name: column.better for column in columns} == dict.fromkeys(SAID, "lower") | {
        "parameters": "neither"
    }


def test_cost_and_speed_are_measured_of_the_cell_and_not_of_a_seed(both):
    assert both.names == CELL_NAMES
    row = both.of_cell({"speed": SPEED, "cost": COST})
    assert row.items() >= SAID.items()
    assert row["model_steps_per_second"] == 2.0
    assert both.of_outcomes([{"final": True, "samples": torch.zeros(2, 2)}]) == [{}]


def test_what_the_trainer_did_not_measure_is_left_out(both):
    """Only one of the two is there, and the metric of the other says nothing."""
    assert both.of_cell({"cost": COST}) == SAID
    assert not SAID.keys() & both.of_cell({"speed": SPEED}).keys()


def test_what_cannot_be_told_is_missing(both):
    unknown = CellCost(STEP, kernels=None, graph_breaks=None, recompilations=None, peak_memory=None, seeds=8)
    row = both.of_cell({"cost": unknown})
    assert [name for name, value in row.items() if value is None] == list(SAID)[-4:]


def test_a_metric_of_the_cell_may_name_both_and_is_due_at_once_whatever_it_says():
    metric = Metric("both", lambda speed, cost: {"n": cost.seeds}, (Column("n", "a test's"),), at="end")
    assert Metrics(((metric, bind(metric.measure, {})),)).of_cell({"speed": SPEED, "cost": COST}) == {"n": 8}


def test_samples_alone_are_not_enough_for_it(shipped):
    assert needed(shipped.get("metric", "cost").value) == ("cost",)


def test_what_a_metric_may_name_is_of_a_seed_or_of_the_cell():
    assert SEED_NAMES | CELL_NAMES == METRIC_NAMES
    assert not SEED_NAMES & CELL_NAMES


def test_a_metric_that_names_the_cost_and_samples_is_broken_and_says_why(tmp_path):
    (tmp_path / "mixed.py").write_text(
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda samples, cost: {}, (Column('m', 'doc'),))\n",
        encoding="utf-8",
    )
    (broken,) = Registry.load([tmp_path]).broken
    assert "metric 'm': 'cost' belongs to the cell, not to a seed: name it alone" in str(broken)
