"""A cell's time limit: what takes longer is ended as a row with the status timeout, and keeps what was measured."""

from __future__ import annotations

import pandas as pd
import pytest

from ganbench.record.folder import RunFolder
from ganbench.run import cells

SUITE = """
suite: late
seeds: 2
budget: {steps: 400, batch: 8, minutes: 0.5}
evaluate: {every: 40, samples: 60}
datasets: {ring8: ring}
references: []
defaults: {architecture: {name: mlp, width: 4}}
variants: {slow: {loss: minimax}, quick: {loss: nonsaturating}}
metrics: [modes]
"""


class Clock:
    """A clock on which the first cell is late at its third reading, between two evaluations."""

    def __init__(self):
        self.readings = 0

    def monotonic(self):
        self.readings += 1
        return 1000.0 if self.readings == 3 else 0.0


@pytest.fixture
def late(tmp_path, monkeypatch, gb):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "late.yaml").write_text(SUITE)
    monkeypatch.setattr(cells, "time", Clock())

    def run(*options):
        code, _, err = gb("run", "late.yaml", "--engine", "eager", "--save-samples", *options)
        (path,) = (tmp_path / "results" / "late").glob("[!.]*/")
        return code, err, RunFolder(path)

    return run


def test_a_cell_that_is_late_ends_as_timeout_with_what_was_measured(late):
    code, err, run = late()
    assert code == 3, err
    seeds = pd.read_csv(run.seeds).set_index("variant")
    assert [*seeds.loc["quick", "status"]] == ["done"] * 2
    assert [*seeds.loc["slow", "status"]] == ["timeout"] * 2
    assert [*seeds.loc["slow", "step"]] == [40] * 2
    assert set(seeds.loc["slow", "message"]) == {
        "stopped after 0.5 minutes, at step 64 of 400; measured last at step 40"
    }
    curves = pd.read_csv(run.curves)
    assert [*curves[curves.variant == "slow"].step] == [40] * 2
    table = pd.read_csv(run.table).set_index("variant")
    assert table.loc["slow", "failed"] == 2
    assert run.finished
    assert "were not kept" not in err


def test_the_option_is_put_in_the_place_of_the_suites_limit(late):
    """Which is part of what a run is: one with another limit is another run."""
    assert late("--timeout", "1000")[0] == 0


@pytest.mark.parametrize("minutes", ["0", "-1", "x", "true"])
def test_a_limit_that_is_none_is_refused(minutes, tmp_path, monkeypatch, gb):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "late.yaml").write_text(SUITE.replace("0.5", minutes))
    code, out, err = gb("plan", "late.yaml")
    assert (code, out) == (2, "")
    assert "late.yaml:4:" in err
    assert "budget.minutes" in err
