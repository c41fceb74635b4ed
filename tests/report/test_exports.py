"""ganbench.report.exports: the readers of other tools' files read them, and find what table.csv says."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

import pytest
from click.testing import CliRunner
from columns import column
from pytest_benchmark.stats import Stats

from ganbench.cli.export import export
from ganbench.record.folder import RunFolder
from ganbench.report.exports import EXPORTS, bencher, pytest_benchmark

RUN = {
    "suite": "mog",
    "created": "2026-11-22T08:00:00+00:00",
    "device": {"device": "cpu", "cpu": "A Processor", "cores": 2, "threads": 2},
    "versions": {"python": "3.12.1", "platform": "Linux-6.1-x86_64", "torch": "2.15", "ganbench": "0.1"},
    "project": {"commit": "a" * 40, "dirty": True},
}


@pytest.fixture
def told(story):
    told = story(columns=[column("operations_per_step"), column("peak", better="lower")])
    for cell in told.cells:
        told.run(cell)
        if cell.steps:
            told.events[-1]["values"]["operations_per_step"] = 321
    return told


@pytest.fixture
def folder(told, tmp_path):
    made = RunFolder.create(tmp_path, "mog", "0" * 12, "", {**RUN, **told.run_json})
    told.write(made.journal)
    return made


def test_each_trained_case_is_a_benchmark_in_seconds_a_model_step(told):
    content = pytest_benchmark(told.record, RUN).content
    assert [one["fullname"] for one in content["benchmarks"]] == [
        f"suites::mog::{dataset}/{variant}"
        for dataset in ("ring8", "grid25")
        for variant in ("minimax", "nonsaturating-r1")
    ]
    one = content["benchmarks"][0]
    stats = one["stats"]
    assert (one["group"], one["name"]) == ("ring8", "ring8/minimax")
    assert (stats["min"], stats["median"], stats["max"]) == (1 / 13000, 1 / 12345.6, 1 / 12000)
    assert stats["ops"] == pytest.approx(12345.6), "what table.csv says"
    assert one["extra_info"]["jsd"] == pytest.approx(0.2075)
    assert one["extra_info"]["all_modes_share"] == 1.0
    assert one["extra_info"]["operations_per_step"] == 321
    assert one["extra_info"]["model_steps_per_second_one"] == 987.6
    assert one["extra_info"]["peak"] is None
    assert content["commit_info"]["id"] == "a" * 40
    assert content["machine_info"]["cpu"] == {"brand_raw": "A Processor", "count": 2}


def test_statistics_are_those_of_the_three_times_as_pytest_benchmark_has_them(told):
    """All but the mean, which is the median, and what is derived from it."""
    for benchmark in pytest_benchmark(told.record, RUN).content["benchmarks"]:
        stats = benchmark["stats"]
        theirs = Stats()
        for one in stats["data"]:
            theirs.update(one)
        known = theirs.as_dict()
        assert stats.keys() == known.keys() | {"data", "iterations"}
        others = ("mean", "ops", "outliers", "stddev_outliers")
        for name in known.keys() - set(others):
            assert stats[name] == pytest.approx(known[name]), name
        assert stats["mean"] == statistics.median(stats["data"])
        assert stats["rounds"] == len(stats["data"]) == 3


def test_pytest_benchmark_compares_the_file_with_itself(folder, tmp_path):
    for name in ("first.json", "second.json"):
        result = CliRunner().invoke(
            export, [str(folder.path), "--format", "pytest-benchmark", "--out", str(tmp_path / name)]
        )
        assert result.exit_code == 0, result.output
        assert result.stderr == f"{tmp_path / name}: 4 cases of {folder.path}\n"
    files = [str(tmp_path / name) for name in ("first.json", "second.json")]
    program = "from pytest_benchmark.cli import main; main()"
    command = [sys.executable, "-c", program, "compare", "--sort", "fullname", *files]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True, timeout=60)
    assert "Failed to load" not in told.stdout + told.stderr
    assert "benchmark 'ring8': 4 tests" in told.stdout
    assert "benchmark 'grid25': 4 tests" in told.stdout
    assert told.stdout.count("ring8/minimax") == 2
    assert "81.0005" in told.stdout, "microseconds a model-step"


def test_bencher_gets_numbers_with_their_ends(told):
    content = bencher(told.record, RUN).content
    assert next(iter(content)) == "mog/ring8/minimax"
    one = content["mog/ring8/minimax"]
    assert one["latency"] == pytest.approx(
        {"value": 1e9 / 12345.6, "lower_value": 1e9 / 13000, "upper_value": 1e9 / 12000}
    )
    assert one["throughput"] == {"value": 12345.6, "lower_value": 12000.0, "upper_value": 13000.0}
    assert one["operations_per_step"] == {"value": 321}
    assert one["all_modes"]["value"] == 1.0
    assert 0.7 < one["all_modes"]["lower_value"] < one["all_modes"]["upper_value"] == 1.0
    assert one["jsd"]["lower_value"] < one["jsd"]["value"] < one["jsd"]["upper_value"]
    assert "peak" not in one
    assert not any("model_steps" in name for name in one), "said already"


def test_what_cannot_be_held_is_named(story):
    told = story(variants=("oracle", "minimax"), datasets=("ring8",))
    told.run(told.cells[1], status="error")
    told.events.pop()
    assert pytest_benchmark(told.record, RUN).left_out == ("ring8/minimax: no speed was measured",)
    assert bencher(told.record, RUN).left_out == ("ring8/minimax: nothing was measured",)
    told = story(variants=("oracle", "minimax"), datasets=("ring8",))
    told.run(told.cells[1])
    for row in told.events[1]["rows"][:12]:
        row["jsd"] = None
    made = bencher(told.record, RUN)
    assert made.left_out == ("ring8/minimax: jsd is infinite for half of the seeds",)
    assert "jsd" not in made.content["mog/ring8/minimax"]
    json.dumps(pytest_benchmark(told.record, RUN).content, allow_nan=False)


def test_command_prints_the_file_and_knows_its_formats(folder):
    for name in EXPORTS:
        result = CliRunner().invoke(export, [str(folder.path), "--format", name])
        assert result.exit_code == 0
        assert json.loads(result.stdout)
    assert {*EXPORTS, "optuna"} == {*export.params[1].type.choices}


def test_command_takes_the_newest_run_of_a_suites_folder(folder):
    result = CliRunner().invoke(export, [str(folder.path.parent), "--format", "bencher"])
    assert result.exit_code == 0, result.output
    assert "mog/ring8/minimax" in json.loads(result.stdout)


def test_command_tells_mistakes_and_nothing_in_one_line(folder, tmp_path):
    wrong = CliRunner().invoke(export, [str(tmp_path / "none"), "--format", "bencher"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "there is no such run" in wrong.stderr
    (tmp_path / "base.csv").write_text("")
    wrong = CliRunner().invoke(export, [str(tmp_path / "base.csv"), "--format", "bencher"])
    assert wrong.exit_code == 2
    assert (
        wrong.stderr == f"{tmp_path / 'base.csv'}: is a file: name the folder of a run, or a suite's folder of runs\n"
    )
    nowhere = tmp_path / "no" / "folder.json"
    wrong = CliRunner().invoke(export, [str(folder.path), "--format", "bencher", "--out", str(nowhere)])
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith(f"--out {nowhere}: ")
    folder.journal.write_text("")
    empty = CliRunner().invoke(export, [str(folder.path), "--format", "pytest-benchmark"])
    assert empty.exit_code == 3
    assert "has not finished" in empty.stderr
