"""ganbench.record.tables.differences: hand-made runs, answers known by hand."""

from __future__ import annotations

import pytest
from columns import column

from ganbench.record.events import from_json
from ganbench.record.record import Record
from ganbench.record.tables.differences import differences
from ganbench.record.tables.tables import as_rows

COLUMNS = [
    column("modes_covered"),
    column("jsd", unit=""),
    column("d_real"),
    column("ok", better="higher", summary="share"),
]


def replay(numbers, columns=COLUMNS, reference=("oracle",)):
    """A run from {(dataset, variant): {seed: row or None where it failed}}."""
    cells = [
        {"id": f"{d}-{v}", "dataset": d, "variant": v, "seeds": list(said), "steps": 10, "reference": v in reference}
        | {"family": v, "precision": "float32"}
        for (d, v), said in numbers.items()
    ]
    events = []
    for (d, v), said in numbers.items():
        rows = [{"seed": s, "status": "done"} | row for s, row in said.items() if row is not None]
        ends = [
            {"seed": s, "status": "error" if row is None else "done", "step": 10, "message": ""}
            for s, row in said.items()
        ]
        events += [{"event": "evaluation", "cell": f"{d}-{v}", "step": 10, "rows": rows}]
        events += [{"event": "end", "cell": f"{d}-{v}", "seeds": ends}]
    return Record.replay({"run": "r", "columns": columns, "cells": cells}, map(from_json, events))


def said(jsds, **more):
    return {seed: None if jsd is None else {"jsd": jsd, "modes_covered": 8} | more for seed, jsd in enumerate(jsds)}


THREE = {
    ("ring", "oracle"): said([0.0] * 8),
    ("ring", "a"): said([0.1 * s for s in range(8)]),
    ("ring", "b"): said([0.1 * s - 0.01 * (s + 1) for s in range(8)]),
    ("ring", "c"): said([0.1 * s + 1 for s in range(8)]),
}


def test_each_trained_variant_is_compared_with_the_first_column_by_column_the_jsd_first():
    found = as_rows(differences(replay(THREE)))
    assert [(row["column"], row["variant"], row["baseline"]) for row in found] == [
        ("jsd", "b", "a"),
        ("jsd", "c", "a"),
        ("modes_covered", "b", "a"),
        ("modes_covered", "c", "a"),
    ]
    b, c, same, _ = found
    # b is better by 0.01 ... 0.08 on the same seeds: the middle four have the mean 0.045; 2 / 2^8, twice for two rows.
    assert b["difference"] == pytest.approx(-0.045)
    assert b["low"] < -0.045 < b["high"] < 0
    assert (b["p"], b["p_holm"]) == (pytest.approx(2 / 2**8), pytest.approx(4 / 2**8))
    assert b["improves"] == pytest.approx((28 + 8) / 64), "which pairing by seeds does not enter"
    assert (c["improves"], c["pairs"], c["better"]) == (0, 8, "lower")
    assert (same["difference"], same["improves"], same["p"], same["detectable"]) == (0, 0.5, 1, None)


def test_any_variant_can_be_the_baseline_a_reference_too():
    assert {row["variant"] for row in as_rows(differences(replay(THREE), "oracle"))} == {"a", "b", "c"}
    against_c = as_rows(differences(replay(THREE), "c"))
    assert [row["variant"] for row in against_c[:2]] == ["a", "b"]
    assert against_c[0]["difference"] == pytest.approx(-1)
    with pytest.raises(ValueError, match="no variant 'd' in this run; it has oracle, a, b, c"):
        differences(replay(THREE), "d")


def test_only_seeds_measured_in_both_are_paired_and_a_missing_number_is_the_worst():
    numbers = {
        ("ring", "a"): said([0.1, 0.1, 0.1, None, 0.1, 0.1, 0.1, 0.1, 0.1]),
        ("ring", "b"): said([None, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]),
    }
    numbers["ring", "b"][8]["jsd"] = None
    (row, _) = as_rows(differences(replay(numbers)))
    assert row["pairs"] == 7
    assert row["difference"] == pytest.approx(0.1)
    assert row["high"] is None, "another draw of seeds may have two that are missing"
    assert row["improves"] == 0


def test_holm_is_over_all_rows_of_a_column_on_all_datasets():
    numbers = {(d, v): said([s * k for s in range(1, 9)]) for d in ("ring", "grid") for k, v in enumerate("abc", 1)}
    rows = [row for row in as_rows(differences(replay(numbers))) if row["column"] == "jsd"]
    assert len(rows) == 4
    assert [row["p_holm"] for row in rows] == [pytest.approx(4 * 2 / 2**8)] * 4


def test_rows_where_a_side_does_not_apply_are_left_out():
    numbers = {("ring", "a"): said([0.1] * 6), ("ring", "b"): said([None] * 6), ("grid", "b"): said([0.1] * 6)}
    assert differences(replay(numbers)).empty
    numbers[("ring", "b")] = {seed: {"jsd": None, "modes_covered": 8} for seed in range(6)}
    assert list(differences(replay(numbers))["column"]) == ["modes_covered"]


@pytest.mark.parametrize("numbers", [{}, {("ring", "oracle"): said([0.0] * 6)}, {("ring", "a"): said([0.0] * 6)}])
def test_run_with_nothing_to_compare_has_an_empty_table_with_its_columns(numbers):
    found = differences(replay(numbers))
    assert found.empty
    assert list(found)[:4] == ["dataset", "variant", "baseline", "column"]
