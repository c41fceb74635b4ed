"""A table as CSV, which ``pandas.read_csv`` reads back with its defaults: each name and each number as it was."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganbench.core.controls import without_controls


def as_csv(table: pd.DataFrame) -> str:
    """The text of a table; control characters in words, which would part its lines, are written out."""
    texts = {name: table[name].map(_plain) for name in table.columns if table[name].dtype == object}
    return table.assign(**texts).to_csv(index=False, lineterminator="\n")


def _plain(value: Any) -> Any:
    return without_controls(value) if isinstance(value, str) else value
