"""A journal that holds numbers beyond any width, from an older ganbench, still gives all tables."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from columns import column
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ganbench.record import journal
from ganbench.record.folder import RunFolder
from ganbench.record.record import Record
from ganbench.record.tables.differences import differences
from ganbench.record.tables.tables import write_tables
from ganbench.record.told import told

COLUMNS = [column("jsd"), column("modes_covered"), column("modes_total"), column("all_modes"), column("jsd_note")]
WILD = [2**63, -(2**63) - 1, 10**400, -(10**400), 1.7e308, -1.7e308, 5e-324, -0.0, "inf", "-inf", None, 0.5]


def run(home, rows):
    """A run's folder: of two variants, each with a seed for each of the rows."""
    cells = [
        {"id": v, "dataset": "ring8", "variant": v, "seeds": list(range(len(rows))), "steps": 30}
        | {"reference": False, "family": v, "precision": "float32"}
        for v in ("minimax", "wgan")
    ]
    folder = RunFolder.create(home, "told", "0" * 64, "suite: told\n", {"columns": COLUMNS, "cells": cells})
    seeds = [{"seed": at, "status": "done", **row} for at, row in enumerate(rows)]
    ends = [{"seed": at, "status": "done", "step": 30, "message": "\udce9"} for at in range(len(rows))]
    lines = [
        line
        for cell in ("minimax", "wgan")
        for line in (
            {"event": "evaluation", "cell": cell, "step": 30, "rows": seeds},
            {"event": "end", "cell": cell, "seeds": ends},
        )
    ]
    folder.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


numbers = st.sampled_from(WILD)


@settings(max_examples=8)
@given(jsd=st.lists(numbers, min_size=8, max_size=8), covered=st.lists(numbers, min_size=8, max_size=8))
@example(jsd=[1.7e308] * 8, covered=[10**400] * 8)
@example(jsd=[1.7e308, -1.7e308] * 4, covered=["inf"] * 8)
def test_any_number_of_a_journal_gives_tables(jsd, covered, tmp_path_factory):
    rows = [
        {"jsd": a, "modes_covered": b, "modes_total": 8, "all_modes": True, "jsd_note": "caf\udce9"}
        for a, b in zip(jsd, covered, strict=True)
    ]
    folder = run(tmp_path_factory.mktemp("told"), rows)
    write_tables(folder)
    differences(Record.read(folder), "wgan")
    seeds = pd.read_csv(folder.seeds)
    assert list(seeds["jsd_note"]) == ["caf\\udce9"] * 16
    assert list(seeds["message"]) == ["\\udce9"] * 16


@pytest.mark.parametrize("jsd", [WILD[:8], [1.7e308, -1.7e308] * 4, [10**400] * 8])
def test_any_number_of_a_journal_is_shown(jsd, tmp_path, gb):
    folder = run(tmp_path, [{"jsd": one, "modes_covered": 10**400, "modes_total": 2**63} for one in jsd])
    for more in ((), ("--json",), ("--against", "wgan")):
        assert gb("show", folder.path, *more)[0] == 0
    assert gb("export", folder.path, "--format", "bencher")[0] in (0, 3)


@pytest.mark.parametrize(
    ("value", "told_"), [(2**63, 2.0**63), (10**400, math.inf), (-(10**400), -math.inf), ("inf", math.inf), (3, 3)]
)
def test_a_number_that_is_too_wide_is_the_nearest_that_is_not(value, told_):
    from ganbench.plugin.column import Column

    found = told({"jsd": value}, {"jsd": Column.from_json(COLUMNS[0])})["jsd"]
    assert (found, type(found)) == (told_, type(told_))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"jsd": "low"}, "the journal's value of 'jsd' must be a number, not 'low'"),
        ({"jsd": [1, 2]}, r"the journal's value of 'jsd' must be a number, not \[1, 2\]"),
        ({"jsd_note": 3}, "the journal's value of 'jsd_note' must be a text, not 3"),
        ({"note": {}}, "the journal's value of 'note' must be a text, not {}"),
        ({"failed": "x"}, "'failed' must be a list, not 'x'"),
    ],
)
def test_a_value_of_another_kind_is_said_with_the_run(row, message, tmp_path):
    folder = run(tmp_path, [row])
    with pytest.raises(ValueError, match=f"^{folder.path}.*: {message}"):
        Record.read(folder)


def test_a_number_of_more_digits_than_python_reads_is_said_with_its_line(tmp_path):
    folder = run(tmp_path, [{"jsd": 1}])
    folder.journal.write_text(folder.journal.read_text().replace('"jsd": 1}', f'"jsd": {"9" * 5000}}}'))
    with pytest.raises(journal.JournalError, match=r"journal.jsonl:1: not a journal line: "):
        Record.read(folder)
