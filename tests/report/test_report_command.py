"""``ganbench report``: where the page is, and what is said of a run that has none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from paged import paged

from ganbench.report.page import html
from ganbench.report.page import page as pages
from ganbench.report.page.section import Section

SUITE = """
suite: it
seeds: 1
budget: {steps: 2, batch: 8}
evaluate: {every: 2, samples: 100}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4, depth: 1}}
variants: {one: {loss: minimax}}
metrics: [modes]
references: []
"""


@pytest.fixture(autouse=True)
def _small_library(monkeypatch):
    monkeypatch.setattr(html, "library", lambda: "0;")


def test_the_page_is_in_the_runs_folder_and_its_path_is_printed(gb, tmp_path):
    folder = paged(tmp_path)
    code, out, err = gb("report", folder.path)
    assert (code, out, err) == (0, f"{folder.path / 'report.html'}\n", "")
    assert "<title>mog" in (folder.path / "report.html").read_text()
    code, out, err = gb("report", tmp_path / "mog", "--out", tmp_path / "elsewhere.html")
    assert (code, out) == (0, f"{tmp_path / 'elsewhere.html'}\n")
    assert "its newest run is" in err


def test_a_run_that_goes_on_is_said_to(gb, tmp_path):
    folder = paged(tmp_path, ended=3)
    code, _, err = gb("report", folder.path)
    assert code == 0
    assert "this run has not finished: 3 of 6 cells have ended" in err


def test_a_folder_without_a_journal_is_one_clear_line(gb, tmp_path):
    line = f"{tmp_path} is not a run: it has no readable run.json beside a journal.jsonl\n"
    assert gb("report", tmp_path) == (2, "", line)
    folder = paged(tmp_path)
    shutil.move(folder.journal, tmp_path / "away")
    line = f"{folder.path} is not a run: it has no readable run.json beside a journal.jsonl\n"
    assert gb("report", folder.path) == (2, "", line)
    assert not Path("report.html").exists()


def test_a_page_that_cannot_be_written_is_one_line(gb, tmp_path):
    folder = paged(tmp_path)
    code, out, err = gb("report", folder.path, "--out", tmp_path / "nowhere" / "it.html")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.endswith("; write it elsewhere with --out FILE\n")


def test_a_run_writes_its_page_at_its_end_and_one_that_fails_is_a_warning(gb, tmp_path, monkeypatch):
    (tmp_path / "it.yaml").write_text(SUITE)
    monkeypatch.delenv("GANBENCH_NO_REPORT")
    command = ["run", tmp_path / "it.yaml", "--out", tmp_path / "runs"]
    code, out, err = gb(*command)
    page = Path(out.splitlines()[-1])
    assert (code, err, page.name) == (0, "", "report.html")
    assert "<title>it" in page.read_text()
    monkeypatch.setattr(pages, "render", lambda *_: 1 / 0)
    code, out, err = gb(*command)
    assert (code, Path(out.splitlines()[-1]).name) == (0, "table.csv")
    assert re.fullmatch(r"\S+report.html could not be written: ZeroDivisionError: .*; the run is whole, .*\n", err)
    code, out, err = gb(*command, "--no-report")
    assert (code, err) == (0, "")


def test_figures_are_files_with_captions_that_say_seeds_suite_and_run(gb, tmp_path, monkeypatch):
    folder = paged(tmp_path, variants=("plain", "a/b:c"))
    for name in ("curves", "effort"):  # a chart takes a third of a second, and all are made alike
        monkeypatch.setattr(f"ganbench.report.page.figure_files.{name}", lambda *_: Section("", "", "", ()))
    code, out, err = gb("report", folder.path, "--figures", tmp_path / "figures")
    assert (code, err) == (0, "")
    names = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert out.startswith(f"{tmp_path / 'figures'}: {len(names)} charts, ")
    starts = {"svg": b"<svg ", "pdf": b"%PDF", "png": b"\x89PNG"}
    for name in names:
        for suffix, start in starts.items():
            assert (tmp_path / "figures" / f"{name}.{suffix}").read_bytes().startswith(start)
        assert "var(" not in (tmp_path / "figures" / f"{name}.svg").read_text()
        caption = (tmp_path / "figures" / f"{name}.txt").read_text()
        assert f"Suite mog, 8 seeds of each variant, run {folder.path.name}." in caption
    assert gb("report", folder.path, folder.path, "--figures", tmp_path)[0] == 2
    code, out, _ = gb("report", folder.path, "--figures", tmp_path / "one", "--chart", "ring8-verdicts")
    assert (code, {path.stem for path in (tmp_path / "one").iterdir()}) == (0, {"ring8-verdicts"})
    wrong = gb("report", folder.path, "--figures", tmp_path / "none", "--chart", "ring8-verdict")
    assert wrong == (2, "", "--chart ring8-verdict: no such chart, did you mean 'ring8-verdicts'?\n")
    assert not (tmp_path / "none").exists()
    assert gb("report", folder.path, "--chart", "x") == (2, "", "--chart: is of --figures DIR, which is not given\n")
