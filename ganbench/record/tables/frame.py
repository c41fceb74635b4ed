"""Rows of values as a table, typed by what the values are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd


def frame(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """A table with these columns; a value that a row does not have is missing."""
    rows = list(rows)
    return pd.DataFrame({name: _series([row.get(name) for row in rows]) for name in names}, columns=list(names))


def _series(values: list[Any]) -> pd.Series[Any]:
    """One column, typed by its values, so that a missing one does not turn whole numbers into fractions."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int}:
        return pd.Series(values, dtype="Int64")
    return pd.Series(values, dtype="float64" if str not in kinds else object)
