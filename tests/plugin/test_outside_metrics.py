"""Metrics from outside that say their columns' roles are treated as the shipped ones are, from training to exports."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from ganbench.compare.history.series import series
from ganbench.compare.sides.description import compared_run, describe_run
from ganbench.compare.verdicts.finding import Outcome
from ganbench.compare.verdicts.judge import compare
from ganbench.record.record import Record
from ganbench.record.tables.best_of_k import tries
from ganbench.record.tables.differences import differences
from ganbench.record.tables.profiles import profiles
from ganbench.record.tables.tables import as_rows, seeds, table
from ganbench.report.exports import bencher, pytest_benchmark
from ganbench.report.figures import SIGNS, figures
from ganbench.report.history import pick
from ganbench.report.progress import Progress
from ganbench.report.table import show

PLUGIN = '''
from ganbench import Column, Metric, Thresholds, hookimpl


def speed_of(speed):
    """A time in place of a rate: milliseconds a step."""
    said = speed.together
    return {"my_pace": 1e3 / said.median, "my_fastest": 1e3 / said.high, "my_slowest": 1e3 / said.low}


def flops_of(cost):
    return {"my_flops": cost.step.flops, "my_memory": cost.step.peak_bytes}


def distance(samples, real):
    return {"my_distance": 1 + (samples.mean(0) - real.mean(0)).norm().item(), "my_parts": 3, "my_all": 3}


PACE = ("ms", "lower", "same")


@hookimpl
def ganbench_metrics():
    yield Metric(
        "my-speed",
        speed_of,
        (
            Column("my_pace", "milliseconds a step", *PACE, "clock"),
            Column("my_fastest", "the fastest", *PACE, "low", of="my_pace"),
            Column("my_slowest", "the slowest", *PACE, "high", of="my_pace"),
        ),
    )
    yield Metric(
        "my-flops",
        flops_of,
        (
            Column("my_flops", "operations", "FLOP", "lower", "same", "count"),
            Column("my_memory", "bytes", "B", "lower", "same", "memory"),
        ),
    )
    thresholds = Thresholds(min_effect=3.0, converged=1000.0, settled=500.0, best=0.0, worst=7000.0)
    yield Metric(
        "my-distance",
        distance,
        (
            Column("my_distance", "of the means", "m", "lower", role="primary", thresholds=thresholds, title="way"),
            Column("my_parts", "how many parts", better="higher", role="covered", title="parts"),
            Column("my_all", "of so many", summary="same", role="total", of="my_parts"),
        ),
    )
'''
SUITE = """
suite: outside
seeds: 12
budget: {steps: 20, batch: 16}
evaluate: {every: 4, samples: 200}
datasets: {ring8: {name: ring, std: 0.1}}
references: []
defaults: {architecture: {name: mlp, width: 8}}
variants: {it: {loss: minimax}}
sweep: {optimizer.lr: [0.001, 0.002]}
metrics: [my-distance, my-speed, my-flops, jsd]
"""
CASES = [("ring8", "it lr=0.001"), ("ring8", "it lr=0.002")]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def made(run_text):
    return run_text(SUITE, engine="eager")


@pytest.fixture(scope="module")
def record(made):
    return Record.read(made.folder)


@pytest.fixture(scope="module")
def side(made):
    return compared_run(*describe_run(made.folder), label="here")


def changed(side, *, distance=0.0, jsd=0.0, pace=1.0, flops=0, memory=0):
    """The side with other numbers."""
    cases = {}
    for name, case in side.cases.items():
        said = {
            seed: replace(
                one,
                values={
                    **one.values,
                    "my_distance": one.values["my_distance"] + distance,
                    "jsd": one.values["jsd"] + jsd,
                },
            )
            for seed, one in case.seeds.items()
        }
        speed = {column: pace * value for column, value in case.speed.items()}
        counts = {"my_flops": case.counts["my_flops"] + flops, "my_memory": case.counts["my_memory"] + memory}
        cases[name] = replace(case, seeds=said, speed=speed, counts=counts)
    return replace(side, cases=cases)


def findings(base, new):
    """The verdicts on the first case but for those that are the same, by measure."""
    found = compare(base, new).findings
    return {one.measure: one for one in found if one.outcome is not Outcome.SAME and one.variant == CASES[0][1]}


def test_the_primary_number_is_first_in_every_table(record):
    found = as_rows(profiles(record))
    assert {row["column"] for row in found} == {"my_distance"}
    assert (found[0]["tau"], found[70]["tau"], found[1]["tau"]) == (0, 7000, 100), "from its best to its worst"
    assert [row["column"] for row in as_rows(differences(record))] == ["my_distance", "my_parts", "jsd"]
    assert {row["column"] for row in as_rows(tries(record, columns=1))} == {"my_distance"}
    row = as_rows(table(record))[1]
    assert row["my_distance_detectable"] > 0
    assert row["my_fastest"] <= row["my_pace"] <= row["my_slowest"]
    assert row["my_flops"] > 0


def test_the_verdict_goes_by_its_own_thresholds(record):
    """A JSD like theirs would be of the wrong shape."""
    rows = [row for row in as_rows(seeds(record)) if row["variant"] == CASES[0][1]]
    assert len(rows) == 12
    for row in rows:
        assert row["verdict"] == "converged"
        assert row["verdict_reason"].startswith("all 3 modes, way ")


def test_it_is_read_first_on_the_screen_and_while_the_run_goes_on(record):
    frame = table(record)
    names = [one.name for one in figures(frame, record.columns, SIGNS[True])]
    assert names[:4] == ["my_distance", "verdicts", "my_parts", "my_pace"]
    assert not {"my_fastest", "my_slowest", "my_all"} & {*names}, "they are shown with what they are of"
    console = Console(file=io.StringIO(), width=120, color_system=None)
    show(frame, console, record.columns)
    text = console.file.getvalue()
    assert "Primary is my_distance, the first of the metrics that are; not jsd." in text
    assert "way: with 12 seeds a difference of " in text
    progress = Progress.so_far(record.cells, record)[record.cells[1].id]
    assert [name for name, _ in progress.headline()] == ["my_distance", "parts"]
    assert progress.headline()[1][1] == "3/3"


def test_a_comparison_judges_it_by_its_own_floor_and_no_other_primary(side):
    assert not findings(side, changed(side, distance=2.9, jsd=0.3)), "below its floor; and the JSD is not asked"
    worse = findings(side, changed(side, distance=3.1))
    assert {name: one.outcome for name, one in worse.items()} == {"my_distance": Outcome.WORSE}
    assert (worse["my_distance"].min_effect, worse["my_distance"].unit) == (3.0, "m")
    better = findings(changed(side, distance=4.0), side)
    assert better["my_distance"].outcome is Outcome.BETTER


def test_a_clock_is_advice_and_a_count_exact(side):
    slow = findings(side, changed(side, pace=10.0))
    assert {name: (one.kind, one.outcome, one.advice) for name, one in slow.items()} == {
        "my_pace": ("clock", Outcome.WORSE, True)
    }
    assert (slow["my_pace"].unit, slow["my_pace"].better) == ("ms", "lower")
    assert findings(side, changed(side, pace=0.1))["my_pace"].outcome is Outcome.BETTER
    assert not findings(side, changed(side, pace=1.05)), "within the floor of 10 %"
    more = findings(side, changed(side, flops=1, memory=10**9))
    assert {name: (one.kind, one.outcome, one.advice) for name, one in more.items()} == {
        "my_flops": ("count", Outcome.WORSE, False)
    }
    assert not any(finding.measure == "my_memory" for finding in compare(side, side).findings)


def test_history_charts_a_clock_as_one_and_the_primary_unless_asked(side):
    found = series([side, changed(side, distance=1.0, pace=2.0)])
    assert {one.measure for one in pick(found, [], [])} == {"my_distance"}
    clocks = [one for one in found if one.kind == "clock"]
    assert [(one.measure, one.unit, one.better) for one in clocks] == [("my_pace", "ms", "lower")] * 2
    first, second = clocks[0].observations
    assert second.value == 2 * first.value
    assert first.low <= first.value <= first.high


def test_exports_have_its_speed(record):
    run = {"suite": "outside"}
    row = as_rows(table(record))[1]
    benchmark = pytest_benchmark(record, run).content["benchmarks"][0]
    assert benchmark["stats"]["data"] == pytest.approx(
        [row[name] / 1e3 for name in ("my_fastest", "my_pace", "my_slowest")]
    )
    assert benchmark["extra_info"]["my_flops"] == row["my_flops"]
    measures = bencher(record, run).content["outside/ring8/it lr=0.001"]
    assert measures["latency"] == pytest.approx(
        {
            "value": 1e6 * row["my_pace"],
            "lower_value": 1e6 * row["my_fastest"],
            "upper_value": 1e6 * row["my_slowest"],
        }
    )
    assert measures["throughput"]["value"] == pytest.approx(1e3 / row["my_pace"])
    assert measures["my_flops"] == {"value": row["my_flops"]}
    assert not {"my_pace", "my_fastest", "my_slowest", "my_all"} & measures.keys(), "said already"
