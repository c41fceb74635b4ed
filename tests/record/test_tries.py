"""ganbench.record.tables.best_of_k: hand-made sweeps, answers known by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from columns import column

from ganbench.record.events import from_json
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.record.tables.best_of_k import tries
from ganbench.record.tables.differences import differences
from ganbench.record.tables.profiles import profiles
from ganbench.record.tables.tables import curves, seeds, table, write_tables

COLUMNS = [
    column("modes", better="higher", unit="u"),
    column("jsd", unit="u"),
    column("d_real", unit="u"),
    column("ok", better="higher", summary="share", unit="u"),
]


def story(numbers, ended=True, precision="tf32"):
    """Cells and events of {(family, row): [jsd of each seed, None where it diverged without one, "error"]}."""
    cells, events = [], []
    for (family, row), said in numbers.items():
        cells.append({"id": row, "dataset": "ring", "variant": row, "seeds": list(range(len(said))), "steps": 10})
        cells[-1] |= {"family": family, "precision": precision, "reference": family == "oracle"}
        status = {s: "error" if one == "error" else "diverged" if one is None else "done" for s, one in enumerate(said)}
        rows = [
            {"seed": s, "status": status[s]} | ({} if one is None else {"jsd": one, "modes": 10 * one, "ok": True})
            for s, one in enumerate(said)
            if one != "error"
        ]
        events += [{"event": "start", "cell": row, "engine": "eager", "note": "", "replicas": len(said)}]
        events += [{"event": "evaluation", "cell": row, "step": 10, "rows": rows}]
        if ended or (family, row) != list(numbers)[-1]:
            ends = [{"seed": s, "status": one, "step": 10, "message": ""} for s, one in status.items()]
            events += [{"event": "end", "cell": row, "seeds": ends}]
    return cells, events


def replay(numbers, **kwargs):
    cells, events = story(numbers, **kwargs)
    return Record.replay({"run": "r", "columns": COLUMNS, "cells": cells}, map(from_json, events))


SWEPT = {
    ("oracle", "oracle"): [0.0] * 8,
    ("a", "a lr=1"): [2.0] * 8,
    ("a", "a lr=2"): [0.0] * 8,
    ("a", "a lr=3"): [1.0] * 8,
    ("b", "b lr=1"): [5.0] * 8,
    ("b", "b lr=2"): [6.0] * 8,
    ("b", "b lr=3"): [7.0] * 8,
}


def test_best_of_k_of_each_family_in_each_column_with_a_better_side():
    found = tries(replay(SWEPT))
    assert [*dict.fromkeys(zip(found["column"], found["family"], strict=True))] == [
        ("jsd", "a"),
        ("jsd", "b"),
        ("modes", "a"),
        ("modes", "b"),
    ]
    first = found[(found["column"] == "jsd") & (found["family"] == "a")]
    assert list(first["k"]) == [1, 2, 3]
    assert set(first["settings"]) == {3}
    assert list(first["best"]) == [1.0, 0.0, 0.0]
    assert list(first["mean"]) == pytest.approx([1.0, 1 / 3, 0.0])
    # More modes are better: the best of all three is 70.
    last = found[(found["column"] == "modes") & (found["family"] == "b")]
    assert list(last["best"]) == [60.0, 70.0, 70.0]
    assert list(last["mean"]) == pytest.approx([60, 60 + 20 / 3, 70])
    assert (found["low"] <= found["best"]).all()
    assert (found["best"] <= found["high"]).all()
    assert (found["mean_low"] <= found["mean"] + 1e-9).all()
    assert set(zip(found["dataset"], found["unit"], strict=True)) == {("ring", "u")}
    assert list(tries(replay(SWEPT), columns=1)["column"].unique()) == ["jsd"]


def test_a_try_without_a_number_gave_nothing():
    """Diverged or failed, it is the worst: the mean is infinite while all of k may fail, in either direction."""
    lost = SWEPT | {("a", "a lr=1"): [None] + [2.0] * 7, ("a", "a lr=3"): ["error"] + [1.0] * 7}
    found = tries(replay(lost))
    for name, worst in (("jsd", math.inf), ("modes", -math.inf)):
        means = list(found[(found["column"] == name) & (found["family"] == "a")]["mean"])
        assert means[:2] == [worst, worst]
        assert math.isfinite(means[2])
    assert found[found["family"] == "a"]["best"].map(math.isfinite).all()


def test_a_family_that_has_not_ended_or_has_no_number_is_left_out():
    assert set(tries(replay(SWEPT, ended=False))["family"]) == {"a"}
    silent = SWEPT | {("b", row): [None] * 8 for family, row in SWEPT if family == "b"}
    assert set(tries(replay(silent))["family"]) == {"a"}


def test_every_column_is_documented():
    documented = (Path(__file__).parents[2] / "results" / "columns.md").read_text(encoding="utf-8")
    assert [name for name in tries(replay(SWEPT)) if f"`{name}`" not in documented] == []


def test_without_a_sweep_there_is_nothing_to_say():
    plain = {("a", "a"): [1.0] * 8, ("b", "b"): [2.0] * 8}
    record = replay(plain)
    assert not record.swept
    assert tries(record).empty


def test_tables_name_the_family_and_the_arithmetic():
    record = replay(SWEPT)
    for frame in (table(record), seeds(record), curves(record)):
        assert list(frame.columns)[:3] == ["dataset", "variant", "family"]
        assert dict(zip(frame["variant"], frame["family"], strict=True)) == {row: family for family, row in SWEPT}
    for frame in (table(record), seeds(record)):
        said = dict(zip(frame["variant"], frame["arithmetic"], strict=True))
        assert said.pop("oracle") is None
        assert set(said.values()) == {"tf32"}


def test_other_tables_go_by_row():
    record = replay(SWEPT)
    assert set(differences(record)["baseline"]) == {"a lr=1"}
    assert set(differences(record, "b lr=2")["variant"]) == {row for family, row in SWEPT if family != "oracle"} - {
        "b lr=2"
    }
    assert set(profiles(record)["variant"]) == {row for _, row in SWEPT}
    with pytest.raises(ValueError, match="'b' has been swept: say at which setting, b lr=1, b lr=2, b lr=3"):
        differences(record, "b")
    with pytest.raises(ValueError, match="there is no variant 'c' in this run; it has oracle, a lr=1"):
        differences(record, "c")


@pytest.mark.parametrize(("numbers", "there"), [(SWEPT, True), ({("a", "a"): [1.0] * 8}, False)])
def test_file_is_written_only_where_there_is_a_sweep(numbers, there, tmp_path):
    cells, events = story(numbers)
    folder = RunFolder.create(tmp_path, "s", "0" * 12, "", {"columns": COLUMNS, "cells": cells})
    with Journal(folder.journal) as journal:
        for event in events:
            journal.append(from_json(event))
    write_tables(folder)
    assert folder.tries.exists() == there
    if there:
        pd.testing.assert_frame_equal(
            pd.read_csv(folder.tries), tries(Record.read(folder)), check_dtype=False, check_exact=False
        )
