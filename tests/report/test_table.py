"""ganbench.report.table: readable at every width, whole numbers or none, plain where it is piped."""

from __future__ import annotations

import io

import pytest
from columns import column
from rich.console import Console

from ganbench.record.tables.tables import table
from ganbench.report.table import show

PATH = "results/mog/20261121-231500-a1b2c3d4/table.csv"


def printed(record, **console):
    console = {"file": io.StringIO(), "force_terminal": True, "color_system": None, "width": 120} | console
    made = Console(**console)
    show(table(record), made, record.columns, PATH)
    if isinstance(made.file, io.TextIOWrapper):
        made.file.flush()
        return made.file.buffer.getvalue().decode(made.file.encoding)
    return made.file.getvalue()


@pytest.fixture
def told(story):
    told = story()
    for cell in told.cells:
        oracle = cell.variant == "oracle"
        told.run(cell, engine="" if oracle else "compiled", jsd=0.0 if oracle else 0.2, modes=8 if oracle else 6)
    return told


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(told, width):
    text = printed(told.record, width=width)
    lines = text.splitlines()
    assert all(len(line.rstrip()) <= width for line in lines if PATH not in line)
    assert sum("0.208 [0.203, 0.212]" in line for line in lines) == 4
    assert "…" not in text
    assert lines[-1] == PATH
    for name in ("ring8", "grid25", "oracle", "minimax", "nonsaturating-r1"):
        assert name in text


@pytest.mark.parametrize("width", [1, 5, 12, 20])
def test_absurd_widths_do_not_crash(told, width):
    assert printed(told.record, width=width)


def test_what_does_not_fit_is_named(told):
    assert "Only in the file" not in printed(told.record, width=200)
    narrow = " ".join(printed(told.record, width=40).split())
    assert "Only in the file: verdicts, modes_covered, all_modes, model_steps_per_second," in narrow
    assert narrow.split("high_quality ")[1].startswith("and 1 more results/"), "of many only the first"


def test_numbers_are_written_for_people(told):
    text = printed(told.record, width=200)
    assert "6/8 [6, 6]" in text
    assert "16/16 [79, 100]%" in text
    assert "0/16 [0, 21]%" in text
    assert "12.3k [12.0k, 13.0k]" in text
    assert "988" in text
    assert "0.980 [0.980, 0.980]" in text
    assert "JSD ↓" in text


def test_too_few_seeds_for_an_interval_show_a_dash(story):
    told = story(seeds=3)
    for cell in told.cells:
        told.run(cell)
    text = printed(told.record)
    assert "0.201 [–]" in text
    assert "The interval of a median needs 6 seeds, and so does any difference at the 5 % level." in text
    assert "is missed one time" not in text


def test_what_is_not_done_is_said(story):
    told = story()
    told.run(told.cells[1], status="diverged")
    told.run(told.cells[2], status="out_of_memory", engine="serial")
    lines = printed(told.record).splitlines()
    assert "16 diverged in training: ring8 minimax" in lines
    assert [
        line for line in lines if line.startswith("80 without a result (their status is in seeds.csv): ring8 oracle")
    ]
    assert "Engine serial: ring8 nonsaturating-r1" in lines


def test_run_without_any_number_still_shows_its_rows(story):
    text = printed(story().record)
    assert "nonsaturating-r1" in text
    assert "96 without a result" in text


def test_piped_output_is_plain_ascii_and_never_narrower_than_120(told):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = printed(told.record, file=file, force_terminal=False, width=None)
    assert "\x1b" not in text
    assert "all modes" in text
    assert "nonsaturating-r1" in text
    assert max(len(line) for line in text.splitlines()) > 80


def test_names_that_the_output_cannot_hold_do_not_stop_it(story):
    told = story(variants=("oracle", "größer-☃", "[red]x[/red]"))
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = printed(told.record, file=file, force_terminal=False)
    assert "gr??er-?" in text
    assert "[red]x[/red]" in text, "a name is not markup"


def test_very_long_names_leave_room_for_the_first_number(story):
    told = story(variants=("oracle", "x" * 100))
    told.run(told.cells[1])
    line = next(line for line in printed(told.record, width=60).splitlines() if "xxx" in line)
    assert "0.208 [0.203, 0.212]" in line
    piped = printed(told.record, force_terminal=False, width=80)
    assert "x" * 100 in piped


def test_what_happened_is_said_in_full_where_there_is_room_and_in_short_where_not(story):
    told = story(variants=("oracle", "minimax"))
    for cell in told.cells:
        told.run(cell, modes=8, diverged=(3, 4) if cell.steps else ())
    told.events[-2]["seeds"][3]["status"] = "diverged"
    assert "15 x wrong shape · 1 x diverged" in printed(told.record)
    short = printed(told.record, width=57)
    assert "15 x wrong shape +1" in short
    assert "verdicts" not in short
    piped = printed(told.record, file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"), force_terminal=False)
    assert "15 x wrong shape, 1 x diverged" in piped


def test_what_does_not_apply_to_a_row_is_told_from_what_is_not_known(told):
    """The oracle has no speed; of a step that too few seeds reached there is no median."""
    lines = printed(told.record, width=200).splitlines()
    oracle = next(line for line in lines if "oracle" in line)
    trained = next(line for line in lines if "minimax" in line)
    assert oracle.count("n/a") == 2
    assert "n/a" not in trained
    assert trained.count("–") == 2


def test_smallest_difference_that_could_have_been_seen_is_said(told):
    # The seeds of the story are the same in all variants: only against its equal does the first scatter.
    assert "JSD: with 16 seeds a difference of 0.0053 nats is missed one time in five (paired, 5 % level)." in printed(
        told.record
    )


def test_references_are_dimmed_and_the_others_are_not(told):
    lines = printed(told.record, color_system="standard").splitlines()
    assert all(line.startswith("\x1b[2m") for line in lines if "oracle" in line)
    assert not any(line.startswith("\x1b[2m") for line in lines if "minimax" in line)


def test_words_are_said_under_the_table_with_where(story):
    told = story(columns=[column("jsd_method")])
    for cell in told.cells:
        told.run(cell)
        for row in told.events[-2 - bool(cell.steps)]["rows"]:
            row["jsd_method"] = "density" if cell.dataset == "ring8" else "lower bound; at least"
    text = printed(told.record)
    assert "JSD method: density (ring8)" in text
    assert "JSD method: lower bound; at least (grid25)" in text


def test_words_that_differ_in_a_number_are_said_once(story):
    """Each seed has its own share of repeats: a line for each would push the table off the screen."""
    told = story(
        variants=("oracle", "minimax"),
        columns=[column("jsd_note")],
    )
    for cell in told.cells:
        told.run(cell)
        if cell.variant == "minimax" and cell.dataset == "ring8":
            for row in told.events[-3]["rows"]:
                row["jsd_note"] = f"{row['seed'] + 0.5} % of them repeat"
    lines = [line for line in printed(told.record).splitlines() if line.startswith("JSD note")]
    assert lines == ["JSD note: 0.5 % of them repeat (ring8 minimax)"]
