"""ganbench.report.tries and ``ganbench show`` of a sweep."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from ganbench.cli import cli
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.record.tables.best_of_k import tries
from ganbench.report.tries import show_tries

ROWS = {f"{family} lr={lr}": family for family in ("minimax", "wgan-gp") for lr in (1, 2, 3, 4, 5)} | {
    "oracle": "oracle"
}


@pytest.fixture
def told(story):
    told = story(variants=tuple(ROWS))
    for place, cell in enumerate(told.cells):
        told.run(cell, jsd=place / 100)
    return told


def run_json(told):
    cells = [cell | {"family": ROWS[cell["variant"]]} for cell in told.planned]
    return {"run": "r", "columns": told.columns, "cells": cells}


def printed(record, **console):
    made = Console(**{"file": io.StringIO(), "force_terminal": True, "color_system": None, "width": 120} | console)
    show_tries(tries(record), made, record.columns)
    return made.file.getvalue()


def test_a_line_for_each_family_and_a_column_for_each_doubling_of_k(told):
    lines = printed(Record.replay(run_json(told), told.events)).splitlines()[1:]
    assert lines[0].startswith("Median best of k settings: JSD")
    assert [" ".join(part) for part in zip(*[iter(lines[1].split()[:12])] * 3, strict=True)] == [
        f"best of {k}" for k in (1, 2, 4, 5)
    ]
    assert [line.split()[0] for line in lines if line[:2] in (" m", " w")] == ["minimax", "wgan-gp"] * 2
    # The settings of minimax on ring8 are 0 to 0.04, each with seeds from 0 to 0.015 more: the middle of all is 0.0275.
    first = next(line for line in lines if line.startswith(" minimax"))
    assert first.split()[1] == "0.028"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_too_wide_and_what_has_no_room_is_named(told, width):
    text = printed(Record.replay(run_json(told), told.events), width=width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    assert ("No room for" in text) == (width < 120)


def test_nothing_is_printed_without_a_sweep(told):
    assert printed(told.record) == ""


def test_command_shows_them_under_the_table_and_in_json(told, tmp_path):
    folder = RunFolder.create(tmp_path, "mog", "0" * 12, "", run_json(told))
    with Journal(folder.journal) as journal:
        for event in [*told.events, {"event": "finished"}]:
            journal.append(event)
    shown = CliRunner().invoke(cli, ["show", str(folder.path)])
    assert shown.exit_code == 0
    assert "best of 4" in shown.output
    found = json.loads(CliRunner().invoke(cli, ["show", str(folder.path), "--json"]).output)
    assert {row["family"] for row in found["tries"]} == {"minimax", "wgan-gp"}
    assert {row["column"] for row in found["tries"]} > {"jsd"}
