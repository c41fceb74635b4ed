"""ganbench.report.differences: readable at every width, plain where it is piped."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from ganbench.cli import cli
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.tables.differences import differences
from ganbench.report.differences import show_differences


def printed(record, against="minimax", **console):
    console = {"file": io.StringIO(), "force_terminal": True, "color_system": None, "width": 120} | console
    made = Console(**console)
    show_differences(differences(record, against), made, record.columns, against)
    return made.file.getvalue()


@pytest.fixture
def told(story):
    told = story(variants=("oracle", "minimax", "wgan-gp", "hinge"))
    for place, cell in enumerate(told.cells):
        told.run(cell, jsd=place / 100, modes=8 - place)
    return told


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_first_column_is_shown_in_full_and_no_line_is_too_wide(told, width):
    lines = printed(told.record, width=width).splitlines()
    assert all(len(line.rstrip()) <= width for line in lines)
    assert lines[0] == "Each variant minus minimax, on the same seeds"
    hinge = next(line for line in lines if line.startswith(" hinge"))
    # 0.02 worse on each of 16 seeds: the differences do not scatter, so that no smallest one is known.
    assert "+0.0200 [+0.0200, +0.0200]" in hinge
    assert " 0 [0, 13]%" in hinge
    assert "n/a" in hinge
    assert "oracle" not in "".join(lines)


def test_what_has_no_room_is_named_and_a_pipe_has_room(told):
    assert "No room for: high_quality, reverse_kl" in printed(told.record, width=80)
    piped = printed(told.record, force_terminal=False, width=80)
    assert "modes" in piped
    assert max(map(len, piped.splitlines())) > 80


def test_run_with_one_variant_says_so(story):
    told = story(variants=("minimax",))
    told.run(told.cells[0])
    assert printed(told.record) == "No other variant has been measured beside minimax.\n"


def test_reference_can_be_the_baseline(told):
    assert "minimax" in printed(told.record, "oracle")


def test_command_shows_them_in_json_too_and_knows_its_variants(told, tmp_path):
    folder = RunFolder.create(tmp_path, "mog", "0" * 12, "", {"columns": told.columns, "cells": told.planned})
    with Journal(folder.journal) as journal:
        for event in [*told.events, {"event": "finished"}]:
            journal.append(event)
    run = ["show", str(folder.path), "--against", "hinge"]
    assert CliRunner().invoke(cli, run).output.startswith("Each variant minus hinge, on the same seeds\n")
    found = json.loads(CliRunner().invoke(cli, [*run, "--json"]).output)
    assert {row["baseline"] for row in found["differences"]} == {"hinge"}
    assert len(found["table"]) == len(told.cells)
    wrong = CliRunner().invoke(cli, [*run[:-1], "hing"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "there is no variant 'hing' in this run; it has oracle, minimax, wgan-gp, hinge" in wrong.stderr
