"""``published``, from the suite to the file, the terminal, the page and JSON; and it changes no number."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from ganbench.record.journal import Journal

PLUGIN = ""
PLAIN = """
suite: small
seeds: 3
budget: {steps: 20, batch: 8}
evaluate: {every: 10, samples: 400}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4}}
variants: {first: {loss: minimax}}
metrics: [jsd, modes]
references: []
"""
BESIDE = """
published:
  source: A paper of 2020, table 1
  rows:
    - {dataset: ring8, variant: first, column: modes_total, value: 8.0, se: 0, called: modes there are}
    - {dataset: ring8, variant: first, column: jsd, value: VALUE, se: 0.001, trials: 10}
    - {dataset: ring8, variant: oracle, column: jsd, value: 0.1, unlike: theirs is a histogram's}
"""
pytestmark = pytest.mark.usefixtures("one_thread")


def beside(value=0.001):
    return PLAIN + BESIDE.replace("VALUE", str(value))


@pytest.fixture(scope="module")
def ran(run_text):
    return run_text(beside(), engine="eager").folder


def test_it_is_a_file_of_the_run_and_changes_no_number(ran, run_text):
    found = pd.read_csv(ran.published)
    assert list(found["word"]) == ["agrees", "differs", "not comparable"]
    plain = run_text(PLAIN, engine="eager").folder
    assert plain.describe()["identity"] == ran.describe()["identity"]
    assert plain.seeds.read_bytes() == ran.seeds.read_bytes()
    assert not plain.published.exists()


def test_show_prints_a_line_for_each_with_its_word(ran, gb):
    code, out, _ = gb("show", ran.path)
    told = " ".join(out.split())
    assert code == 0
    assert "Beside what is published: A paper of 2020, table 1" in told
    assert "first: modes there are agrees 8 [8, 8] 8 [8, 8] 3 / –" in told
    assert "first: JSD differs" in told
    assert "Not comparable, theirs is a histogram's: ring8 oracle: JSD" in told
    rows = json.loads(gb("show", ran.path, "--json")[1])["published"]
    assert [row["word"] for row in rows] == ["agrees", "differs", "not comparable"]


def test_the_page_has_the_same_texts(ran, gb, tmp_path):
    assert gb("report", ran.path, "--out", tmp_path / "page.html")[0] == 0
    page = (tmp_path / "page.html").read_text()
    assert "Beside what is published" in page
    for text in ("A paper of 2020, table 1", "first: modes there are", "agrees", "differs", "not comparable"):
        assert text in page


def test_a_stopped_run_goes_on_when_it_changes_and_is_compared_anew(run_text, room_for, tmp_path):
    with room_for(5, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_text(PLAIN, engine="eager", out=tmp_path)
    (stopped,) = tmp_path.glob("small/*/run.json")
    folder = run_text(beside(0.25), engine="eager", out=tmp_path).folder
    assert folder.path == stopped.parent
    assert pd.read_csv(folder.published)["published"].tolist() == [8.0, 0.25, 0.1]
