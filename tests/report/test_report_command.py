"""``ganbench report``: where the page is, and what is said of a run that has none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from paged import paged

from ganbench.report.page import page as pages


@pytest.fixture(autouse=True)
def _small_library(monkeypatch):
    monkeypatch.setattr(pages, "library", lambda: "0;")


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
