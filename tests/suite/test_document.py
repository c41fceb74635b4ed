"""YAML read strictly: scalars are what they look like, and what is dumped is read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.suite import document


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("1e-4", 1e-4), ("1e4", 10_000), ("1E+2", 100), ("1.5e3", 1500), ("1.0", 1.0), ("1e300", 1e300), ("-3", -3),
        ("+.5", 0.5), ("5.", 5.0), ("010", 10), ("0x1F", "0x1F"), ("0o7", "0o7"), ("1_000", "1_000"), ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"), ("on", "on"), ("No", "No"), ("y", "y"), ("true", True), ("FALSE", False),
        ("null", None), ("~", None), ("", None), ("'1'", "1"), ('"null"', "null"), ("=", "="), ("1e", "1e"), (".", "."),
    ],
)  # fmt: skip
def test_scalars_are_what_they_look_like(scalar, value):
    read = document.parse(f"x: {scalar}\n").value["x"]
    assert (read, type(read)) == (value, type(value))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(DATA)
def test_what_is_dumped_is_read_back(data: Any):
    if data is not None:
        assert document.parse(document.dump({"data": data})).value == {"data": data}
