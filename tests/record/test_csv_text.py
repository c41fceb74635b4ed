"""``pandas.read_csv``, with its defaults, gives back each name and each number that a table was written with."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ganbench.core.names import lost_in_tables
from ganbench.record.tables.csv_text import as_csv
from ganbench.record.tables.frame import frame

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,9}", fullmatch=True) | st.sampled_from(
    [
        "NA",
        "nan",
        "NULL",
        "None",
        "1e5",
        "001",
        "True",
        "inf",
        "Infinity",
        "1.",
        "0x1F",
        "1e",
        "yes",
        "N.A",
        "1_0",
        "e5",
    ]
)
FLOATS = st.floats(allow_nan=False) | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 0.1, 1e22])


def read(text):
    return pd.read_csv(io.StringIO(text))


@given(st.lists(NAMES.filter(lambda name: not lost_in_tables(name)), min_size=1, max_size=4))
def test_each_legal_name_comes_back(names):
    table = frame([{"dataset": name, "variant": f"{name} lr=0.1,[1]"} for name in names], ["dataset", "variant"])
    back = read(as_csv(table))
    assert [*back["dataset"]] == names
    assert [*back["variant"]] == [*table["variant"]]


@given(NAMES)
def test_only_names_that_do_not_come_back_are_refused(name):
    back = read(f"dataset,x\n{name},1\n")["dataset"][0]
    assert lost_in_tables(name) or back == name
    if lost_in_tables(name):
        kin = {name, name.lower(), name.upper(), name.title()}  # other readers do not tell NA from na
        assert any(read(f"dataset,x\n{one},1\n")["dataset"][0] != one for one in kin) or name.lower() == "na"


@given(st.lists(FLOATS | st.none(), min_size=1, max_size=5))
def test_each_fraction_comes_back(numbers):
    back = read(as_csv(frame([{"x": number, "n": "a"} for number in numbers], ["x", "n"])))["x"]
    for written, found in zip(numbers, back, strict=True):
        assert (
            math.isnan(found)
            if written is None
            else (found, math.copysign(1, found))
            == (
                written,
                math.copysign(1, written),
            )
        )


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5))
def test_each_whole_number_comes_back(numbers):
    assert [*read(as_csv(frame([{"x": number} for number in numbers], ["x"])))["x"]] == numbers


@given(st.lists(st.integers(-(2**53), 2**53) | st.none(), min_size=2, max_size=5), st.lists(st.booleans() | st.none()))
def test_whole_numbers_and_truth_values_come_back_beside_missing_ones(numbers, truths):
    back = read(as_csv(frame([{"x": number, "n": "a"} for number in numbers], ["x", "n"])))["x"]
    assert [None if pd.isna(one) else one for one in back] == numbers
    back = read(as_csv(frame([{"x": truth, "n": "a"} for truth in truths], ["x", "n"])))["x"]
    assert [None if pd.isna(one) else bool(one) for one in back] == truths


@given(st.text(min_size=1))
def test_no_message_breaks_the_rows(message):
    back = read(as_csv(frame([{"x": 1, "message": message}, {"x": 2, "message": "end"}], ["x", "message"])))
    assert [*back["x"]] == [1, 2]
    assert back["message"][1] == "end"


def test_the_committed_tables_come_back():
    for path in sorted((Path(__file__).parents[2] / "results").glob("*/*.csv")):
        raw, back = pd.read_csv(path, dtype=str, keep_default_na=False), pd.read_csv(path)
        for name in raw.columns:
            words = [one for one in raw[name] if one and not re.fullmatch(r"[-+.\deE]+|inf|-inf|True|False", one)]
            if words:
                assert {*words} <= {*map(str, back[name])}, (path, name)
