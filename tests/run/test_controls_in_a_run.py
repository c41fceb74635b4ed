"""``expect``, from the suite to the exit code: a control that does not end as expected makes the run void."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.run.observer import RunObserver
from ganbench.suite.plan import plan

PLUGIN = ""
SUITE = """
suite: small
description: which is expected
seeds: 4
budget: {steps: 20, batch: 8}
evaluate: {every: 10, samples: 400}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4}}
variants: {first: {loss: minimax}, second: {loss: nonsaturating, expect: EXPECT}}
metrics: [jsd, modes]
references: []
"""
FAILS, CONVERGES = (SUITE.replace("EXPECT", word) for word in ("fails", "converges"))
VOID = "the run is void: ring8 second is expected to converge (at least 3 of 4 seeds converge), and 0 converged"
#: Start, evaluation and end of the oracle; start, two evaluations and end of a variant; start and one of the other.
STOP = 3 + 4 + 2
pytestmark = pytest.mark.usefixtures("one_thread")


class Counting(RunObserver):
    def __init__(self):
        self.lines, self.ended = [], 0

    def started(self, cells, record):
        self.ended = sum(cell.ended for cell in record.cells)

    def note(self, line):
        self.lines.append(line)


@pytest.fixture(scope="module")
def fails(run_text):
    return run_text(FAILS, engine="eager")


@pytest.fixture(scope="module")
def converges(run_text):
    return run_text(CONVERGES, engine="eager")


def test_a_run_is_complete_only_with_its_controls_as_expected(fails, converges):
    """20 steps: no seed has converged."""
    assert (fails.complete, [one.void for one in fails.controls]) == (True, [""])
    assert (converges.complete, [one.void for one in converges.controls]) == (False, [VOID])


def test_what_is_expected_changes_no_cell_and_no_number(fails, converges):
    texts = [(one.folder.seeds.read_bytes(), one.folder.curves.read_bytes()) for one in (fails, converges)]
    assert texts[0] == texts[1]
    abouts = [one.folder.describe() for one in (fails, converges)]
    assert abouts[0]["identity"] == abouts[1]["identity"]
    assert [cell["id"] for cell in abouts[0]["cells"]] == [cell["id"] for cell in abouts[1]["cells"]]


@pytest.fixture(scope="module")
def stopped_results(run_text, room_for, tmp_path_factory):
    """The results of a run that was stopped before the last evaluation of its second variant."""
    out = tmp_path_factory.mktemp("stopped")
    with room_for(STOP, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_text(FAILS, engine="eager", out=out)
    return out


@pytest.mark.parametrize("change", ["expect", "guard", "description"])
def test_a_stopped_run_is_gone_on_with_when_it_is_only_judged_otherwise(change, run_text, stopped_results, tmp_path):
    """And it is judged by what the suite says now, also by whoever reads the folder later."""
    shutil.copytree(stopped_results, tmp_path, dirs_exist_ok=True)
    (stopped,) = tmp_path.glob("small/*/run.json")
    text = {
        "expect": CONVERGES,
        "guard": FAILS + "guard: {jsd: 0.5}\n",
        "description": FAILS.replace("which is expected", "another"),
    }[change]
    watching = Counting()
    result = run_text(text, engine="eager", out=tmp_path, observer=watching)
    assert (result.folder.path, watching.ended, watching.lines) == (stopped.parent, 2, [])
    again = RunFolder.open(stopped.parent)
    assert result.complete == (change != "expect")
    expected = "converges" if change == "expect" else "fails"
    assert [cell.get("expect") for cell in again.describe()["cells"]] == [None, None, expected]
    said = {"expect": "expect: converges", "guard": "jsd: 0.5", "description": "description: another"}[change]
    assert said in again.suite.read_text()


def test_every_reader_of_a_void_run_says_so(gb, fails, converges, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    void, fine = str(converges.folder.path), str(fails.folder.path)
    code, out, _ = gb("show", void)
    assert code == 0
    assert VOID in out.replace("\n", " ")
    assert "As the suite expects: ring8 second fails" in gb("show", fine)[1]
    assert json.loads(gb("show", void, "--json")[1])["controls"][0]["void"] == VOID
    code, _, err = gb("baseline", "save", void)
    assert code == 2
    assert "cannot be a baseline: ring8/second: is expected to converge" in err
    said = "the run is void: it is expected to converge (at least 3 of 4 seeds converge), and 0 converged"
    for form in ("text", "markdown", "json", "junit", "github"):
        code, out, _ = gb("compare", fine, void, "--format", form)
        assert code == 3, form
        assert said in out.replace("\n", " ").replace("\\", ""), form
    code, out, _ = gb("compare", void, fine)
    assert code == 0
    assert "the base: it is void: ring8/second is expected to converge" in out.replace("\n", " ")
    assert "it is void: ring8/second is expected" in gb("history", void)[2]


def test_the_command_exits_with_3_and_plan_says_what_is_expected(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(CONVERGES)
    code, out, _ = gb("run", "small.yaml", "--engine", "eager", "--device", "cpu")
    assert code == 3
    assert VOID in out.replace("\n", " ")
    _, out, _ = gb("plan", "small.yaml", "--engine", "eager", "--device", "cpu")
    assert "The run is void (exit code 3) unless ring8 second converges" in out


def test_of_a_sweep_each_setting_is_a_control(shipped):
    from ganbench.suite.load import parse

    text = FAILS.replace("EXPECT", "fails") + "sweep: {optimizer.lr: [0.1, 0.2]}\n"
    cells = [cell for cell in plan(parse(text, shipped)) if cell.trained]
    assert [cell.expect for cell in cells] == [None, None, "fails", "fails"]
