"""``pytest suite.yaml``: which files become tests, what makes one fail, and what is said then."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

# Pytester forgets what is first imported inside of it, which not every library survives.
import ganbench.cli.session_run  # noqa: F401
from ganbench import pytest_plugin
from ganbench.cli.session_run import JudgedRun
from ganbench.compare.sides.baseline import save
from ganbench.compare.sides.baseline_seal import SEAL
from ganbench.compare.sides.compared_run import Case, ComparedRun, Seed
from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.plugin.registry import Registry
from ganbench.record.folder import RunFolder
from ganbench.record.status import Status
from ganbench.suite.load import load

pytest_plugins = ["pytester"]

SUITE = """\
suite: tiny
seeds: 8
budget: {steps: 20, batch: 16}
evaluate: {every: 10, samples: 400}
datasets:
  ring8: {name: ring, std: 0.1}
defaults: {architecture: {name: mlp, width: 8, depth: 1}}
variants:
  minimax: {loss: minimax}
  other: {loss: nonsaturating}
metrics: [jsd, modes]
references: []
"""
CASES = ["ring8/minimax", "ring8/other"]
RAISES = '''
"""Losses for tests."""
from ganbench import Loss, hookimpl

def discriminator(d_real, d_fake):
    raise RuntimeError("the plugin's own words")

@hookimpl
def ganbench_losses():
    yield Loss("raises", discriminator, lambda d_fake: d_fake.mean())
'''


@pytest.fixture
def here(pytester, monkeypatch):
    """A folder with a suite in it, on a machine that is no CI: there pytest's last lines repeat a failure whole."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    (pytester.path / "suites").mkdir()
    (pytester.path / "suites" / "tiny.yaml").write_text(SUITE)
    return pytester


def run(here, *arguments):
    """pytest there, with the plugin whether it is installed or not."""
    installed = "ganbench" in {point.name for point in entry_points(group="pytest11")}
    return here.runpytest_inprocess(*arguments, plugins=[] if installed else [pytest_plugin])


def collected(result) -> list[str]:
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def only_run(folder: Path) -> Path:
    (path,) = folder.glob("[!.]*/")
    return path


def test_importing_it_imports_nothing_heavy():
    heavy = {"torch", "numpy", "pandas", "scipy", "pydantic", "yaml", "rich", "click"}
    code = "import sys, pytest; before = {*sys.modules}; import ganbench.pytest_plugin; print(*{*sys.modules} - before)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(found.stdout.split())


def test_each_trained_row_is_a_test_by_the_name_of_its_case(here):
    found = run(here, "suites/tiny.yaml", "--collect-only", "-q")
    assert found.ret == 0
    assert collected(found) == CASES
    assert not (here.path / "results").exists(), "collecting trains nothing"


@pytest.mark.parametrize("arguments", [["suites/tiny.yaml", "-k", "minimax"], ["suites/tiny.yaml::ring8/minimax"]])
def test_cases_are_selected_as_tests_are(here, arguments):
    assert collected(run(here, *arguments, "--collect-only", "-q")) == CASES[:1]


def test_a_selected_case_keeps_what_is_published_of_it_alone(here):
    """Rows of others would be mistakes in the run's own suite.yaml."""
    rows = [f"    - {{dataset: ring8, variant: {name}, column: jsd, value: 0.1}}" for name in ("minimax", "other")]
    text = SUITE + "published:\n  source: a paper\n  rows:\n" + "\n".join(rows) + "\n"
    (here.path / "suites" / "tiny.yaml").write_text(text.replace("seeds: 8", "seeds: 1"))
    run(here, "suites/tiny.yaml::ring8/minimax")
    found = load(only_run(here.path / "results" / "partial" / "tiny") / "suite.yaml", Registry.load())
    assert [row.variant for row in found.published.rows] == ["minimax"]


def test_every_setting_of_a_sweep_is_a_test(here):
    (here.path / "suites" / "tiny.yaml").write_text(SUITE + "sweep: {optimizer.lr: [0.001, 0.002]}\n")
    found = collected(run(here, "suites/tiny.yaml", "--collect-only", "-q"))
    assert found == [f"{case} lr={lr}" for case in CASES for lr in (0.001, 0.002)]
    for arguments in (["suites/tiny.yaml", "-k", "other and 0.002"], [f"suites/tiny.yaml::{found[3]}"]):
        assert collected(run(here, *arguments, "--collect-only", "-q")) == found[3:]


def test_yaml_that_was_not_named_is_left_alone(here):
    for arguments in ([], ["suites"], ["."]):
        assert collected(run(here, *arguments, "--collect-only", "-q")) == []


def test_the_ini_option_names_suites_once_and_for_all(here):
    here.makeini("[pytest]\nganbench_suites = suites/*.yaml")
    assert collected(run(here, "--collect-only", "-q")) == CASES


def test_yaml_that_is_no_suite_is_none_of_ours(here):
    (here.path / "other.yaml").write_text("name: something else\n  suite: indented\n")
    (here.path / "binary.yaml").write_bytes(b"suite: \xff\xfe")
    for name in ("other.yaml", "binary.yaml"):
        found = run(here, name, "--collect-only", "-q")
        assert collected(found) == []
        assert "Traceback" not in str(found.outlines + found.errlines)


def test_mistakes_in_a_suite_are_told_by_line_and_column(here):
    (here.path / "suites" / "tiny.yaml").write_text(SUITE.replace("{loss: minimax}", "{loss: minmax}") + "extra: 1\n")
    found = run(here, "suites/tiny.yaml")
    assert found.ret == pytest.ExitCode.INTERRUPTED
    text = "\n".join(found.outlines)
    assert re.search(r"^suites/tiny.yaml:9:19 variants.minimax.loss: .*did you mean 'minimax'", text, re.MULTILINE)
    assert re.search(r"^suites/tiny.yaml:13:1 extra: unknown key", text, re.MULTILINE)
    assert "Traceback" not in text


@pytest.mark.parametrize("count", ["0", "-1", "x", "1e3"])
def test_a_number_of_seeds_that_is_none_is_said(here, count):
    found = run(here, "suites/tiny.yaml", f"--ganbench-seeds={count}")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    assert "must be a whole number from 1 to 100000" in str(found.errlines)


def test_a_suite_passes_by_itself_then_against_its_baseline_until_it_gets_worse(here):
    """One story, since training costs: a run without a baseline, one as good as it, one against a better base."""
    found = run(here, "suites/tiny.yaml", "--junitxml=junit.xml")
    found.assert_outcomes(passed=2)
    first = only_run(here.path / "results" / "tiny")
    found.stdout.fnmatch_lines([f"results/tiny/{first.name}, judged by itself: there is no baseline"])
    cases = list(ElementTree.parse(here.path / "junit.xml").iter("testcase"))
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        ("suites.tiny.yaml", name) for name in CASES
    ]
    assert {one.get("value") for one in cases[0].iter("property")} == {f"results/tiny/{first.name}"}

    base = save(RunFolder(first), here.path / "results" / "baselines").path
    found = run(here, "suites/tiny.yaml", "-k", "minimax")
    found.assert_outcomes(passed=1, deselected=1)
    found.stdout.fnmatch_lines(["results/partial/tiny/*, judged against results/baselines/tiny.csv"])
    partial = only_run(here.path / "results" / "partial" / "tiny")
    assert "ring8,other," not in (partial / "seeds.csv").read_text(), "what is not selected is not trained"

    header, *rows = base.read_text().splitlines()
    place = header.split(",").index("jsd")
    better = [row.split(",") for row in rows]
    for row in better:
        if row[1] == "minimax":
            row[place] = "0.01"
    base.write_text("\n".join([header, *map(",".join, better)]) + "\n")
    about = base.with_suffix(".json")
    about.write_text(json.dumps({key: value for key, value in json.loads(about.read_text()).items() if key != SEAL}))
    found = run(here, "suites/tiny.yaml", "--junitxml=junit.xml")
    found.assert_outcomes(passed=1, failed=1)
    assert "Traceback" not in str(found.outlines)
    line = r"suites/tiny.yaml:9: ring8/minimax jsd: worse, 0\.010* -> 0\.\d+, \+0\.\d+ nats.*"
    assert re.search(rf"^{line}$", "\n".join(found.outlines), re.MULTILINE)
    (failure,) = ElementTree.parse(here.path / "junit.xml").iter("failure")
    assert re.fullmatch(line, failure.get("message"))
    assert collected(run(here, "suites/tiny.yaml", "--lf", "--collect-only", "-q")) == ["ring8/minimax"]

    # Two processes that know one folder, as pytest-xdist's workers do: the second takes the run that is there.
    shared = here.mkdir("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest_plugin, "_shared", lambda config: shared)
        for _ in range(2):
            found = run(here, "suites/tiny.yaml", "-k", "minimax", f"--ganbench-against=results/tiny/{first.name}")
            found.assert_outcomes(passed=1, deselected=1)
    assert len(list((here.path / "results" / "partial" / "tiny").glob("[!.]*/"))) == 2


@pytest.mark.parametrize(
    ("word", "kind", "arguments", "outcome"),
    [
        (Outcome.UNSURE, "value", [], "passed"),
        (Outcome.UNSURE, "value", ["--ganbench-strict"], "failed"),
        (Outcome.NOT_COMPARABLE, "case", ["--ganbench-strict"], "skipped"),
        (Outcome.NEW, "case", ["--ganbench-strict"], "passed"),
    ],
)
def test_what_is_not_sure_fails_only_if_strict_and_what_cannot_be_compared_is_skipped(
    here, monkeypatch, word, kind, arguments, outcome
):
    effect = {"better": "lower", "base": 0.1, "new": 0.2, "effect": 0.1} if kind == "value" else {}
    cases = {("ring8", name): Case("ring8", name, {0: Seed(Status.DONE, {})}) for name in ("minimax", "other")}
    side = ComparedRun("", "tiny", {}, {}, {}, cases)
    finding = Finding("ring8", "minimax", "jsd" if kind == "value" else "", kind, word, "for a reason", **effect)
    told = JudgedRun(side, "somewhere", "", Comparison(side, side, (finding,)))
    monkeypatch.setattr(pytest_plugin.SuiteItems, "result", lambda suite: told)
    found = run(here, "suites/tiny.yaml", "-rs", *arguments)
    assert found.parseoutcomes() == {"passed": 2} if outcome == "passed" else {"passed": 1, outcome: 1}
    assert ("for a reason" in str(found.outlines)) == (outcome != "passed")


def test_seeds_that_fail_are_a_failure_and_the_suite_is_run_once(here):
    (here.path / "suites" / "plugins").mkdir()
    (here.path / "suites" / "plugins" / "mine.py").write_text(RAISES)
    (here.path / "suites" / "tiny.yaml").write_text(SUITE.replace("nonsaturating", "raises, expect: fails"))
    found = run(here, "suites/tiny.yaml", "--ganbench-seeds=2", "--ganbench-out=elsewhere")
    found.assert_outcomes(passed=1, failed=1)
    text = "\n".join(found.outlines)
    assert len(re.findall(r"^suites/tiny.yaml:10: failed: 2 of 2 seeds error: .*own words", text, re.MULTILINE)) == 1
    void = "the run is void: it is expected to fail (at most 0 of 2 seeds converge), and whether it does is not known"
    assert f"suites/tiny.yaml:10: failed: {void}: 0 converged, 2 without a result (error)" in text
    assert only_run(here.path / "elsewhere" / "tiny")


def test_a_base_that_is_given_and_not_there_is_a_mistake_of_usage_before_anything_is_trained(here):
    found = run(here, "suites/tiny.yaml", "--ganbench-against=nowhere/at/all.csv")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    assert found.parseoutcomes() == {}
    told = [line for line in found.errlines if line]
    assert len(told) == 1
    assert told[0].startswith("ERROR: --ganbench-against: nowhere/at/all.csv: ")
    assert not (here.path / "results").exists()


def test_what_is_asked_for_again_is_told_again_and_not_trained_again(here, monkeypatch):
    """As pytest-rerunfailures does: a case that failed is run again, and the report has its run once."""
    (here.path / "suites" / "plugins").mkdir()
    (here.path / "suites" / "plugins" / "mine.py").write_text(RAISES)
    (here.path / "suites" / "tiny.yaml").write_text(SUITE.replace("nonsaturating", "raises"))
    ran = pytest_plugin.CaseItem.runtest

    def twice(item):
        try:
            ran(item)
        finally:
            ran(item)

    monkeypatch.setattr(pytest_plugin.CaseItem, "runtest", twice)
    found = run(here, "suites/tiny.yaml", "--ganbench-seeds=2", "--junitxml=junit.xml")
    found.assert_outcomes(passed=1, failed=1)
    cases = ElementTree.parse(here.path / "junit.xml").iter("testcase")
    assert [len(list(case.iter("property"))) for case in cases] == [1, 1]
    assert only_run(here.path / "results" / "tiny")


@pytest.mark.slow
@pytest.mark.parametrize("dist", [["-n2", "--dist=load"], ["--dist=each", "--tx=2*popen"]])
def test_workers_of_xdist_train_a_suite_once(here, dist):
    """Whichever gets which case; and what was run is told once, by the process that has the terminal."""
    found = run(here, "suites/tiny.yaml", *dist)
    assert found.parseoutcomes() == {"passed": 2 if dist[0] == "-n2" else 4}
    first = only_run(here.path / "results" / "tiny")
    assert found.outlines.count(f"results/tiny/{first.name}, judged by itself: there is no baseline") == 1
    if dist[0] == "-n2":
        found = run(here, "suites/tiny.yaml", *dist, "--ganbench-against=nowhere.csv")
        found.assert_outcomes(failed=2)
        assert "--ganbench-against: nowhere.csv: there is no such run" in str(found.outlines)
        assert only_run(here.path / "results" / "tiny") == first
