"""ganbench.report.numbers: digits that mean something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.report.numbers import common, duration, thousands


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.012, 0.69314], ["0.012", "0.693"]),
        ([0.0123], ["0.0123"]),
        ([8, 6.5, 25], ["8", "6.5", "25"]),
        ([12.345, 1.2], ["12.3", "1.2"]),
        ([123.4, 0.1], ["123", "0"]),
        ([10000], ["10000"]),
        ([1.5e-7], ["1.5e-07"]),
        ([2.5e9], ["2.5e+09"]),
        ([0, 0], ["0", "0"]),
    ],
)
def test_one_column_has_one_format(values, text):
    form = common(values)
    assert [form(value) for value in values] == text


@given(st.lists(st.floats(allow_nan=False)))
def test_any_numbers_have_a_format(values):
    form = common(values)
    assert all(form(value) for value in values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (12.34, "12.3"),
        (987.6, "988"),
        (999.6, "1.00k"),
        (1234.5, "1.23k"),
        (12345, "12.3k"),
        (99960, "100k"),
        (2.5e6, "2.50M"),
        (7e12, "7000G"),
        (float("inf"), "inf"),
    ],
)
def test_thousands(value, text):
    assert thousands(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
