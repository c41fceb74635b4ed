"""``pandas.read_csv``, with its defaults, gives back what the tables of a run and its baseline say."""

from __future__ import annotations

import math

import pandas as pd
from recorded import recorded

from ganbench.compare.sides.baseline import save
from ganbench.record.record import Record
from ganbench.record.tables.tables import write_tables


def test_every_table_of_a_run_and_a_baseline_comes_back(tmp_path):
    rows = {("one", 0): {"jsd": "inf"}, ("other", 1): {"jsd": 1 / 3}}
    folder = recorded(tmp_path, rows, variants=("one", "other"))
    write_tables(folder)
    save(folder, tmp_path / "baselines")
    record_columns = [column.name for column in Record.read(folder).columns]
    tables = [*folder.path.glob("*.csv"), *(tmp_path / "baselines").glob("*.csv")]
    assert {path.name for path in tables} == {
        "seeds.csv", "curves.csv", "table.csv", "differences.csv", "profiles.csv", "smoke.csv"
    }  # fmt: skip
    for path in tables:
        text, back = path.read_text(), pd.read_csv(path)
        assert back.to_csv(index=False, lineterminator="\n").count("\n") == text.count("\n")
        for name in {"dataset", "variant", "family", "column", "baseline"} & {*back.columns}:
            assert {*back[name]} <= {"ring8", "oracle", "one", "other", *record_columns}
    seeds = pd.read_csv(folder.seeds)
    ours = seeds[(seeds.variant == "other") & (seeds.seed == 1)]
    assert ours["jsd"].item() == 1 / 3
    assert seeds[(seeds.variant == "one") & (seeds.seed == 0)]["jsd"].item() == math.inf
