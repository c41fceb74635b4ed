"""A suite without variants: nothing is trained, the references are measured, and whatever reads the run says so."""

import pandas as pd
import pytest

SUITE = """\
suite: alone
seeds: 6
budget: {steps: 1}
evaluate: {samples: 400}
datasets: {ring8: ring}
references: [one-mode]
variants: {}
metrics: [jsd]
pictures: false
"""


@pytest.fixture
def ran(gb, tmp_path, monkeypatch):
    (tmp_path / "alone.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    code, out, err = gb("run", "alone.yaml")
    assert (code, err) == (0, "")
    return out


def test_the_references_are_measured(ran, tmp_path):
    (table,) = tmp_path.glob("results/alone/*/table.csv")
    rows = pd.read_csv(table).set_index("variant")
    assert list(rows.index) == ["oracle", "one-mode"]
    assert rows.loc["oracle", "jsd"] < 0.03 < 0.4 < rows.loc["one-mode", "jsd"]


def test_its_page_is_made(ran, gb, tmp_path):
    code, _, err = gb("report", "results/alone")
    (page,) = tmp_path.glob("results/alone/*/report.html")
    assert code == 0, err
    assert "alone trained nothing on ring8: it measured 2 references, 6 seeds of each." in page.read_text()


def test_the_run_as_it_was_resolved_runs_again(ran, gb, tmp_path):
    (resolved,) = tmp_path.glob("results/alone/*/suite.yaml")
    assert gb("plan", resolved)[0] == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("baseline", "save", "results/alone"), "has trained nothing, so there is nothing to compare with later"),
        (("show", "results/alone", "--against", "one-mode"), "No other variant has been measured beside one-mode."),
        (("compare", "results/alone", "results/alone"), "Nothing was judged"),
    ],
)
def test_what_needs_a_trained_row_says_that_there_is_none(command, said, ran, gb):
    _, out, err = gb(*command)
    assert said in out + err
