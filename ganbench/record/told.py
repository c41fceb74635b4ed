"""A value of the journal as the tables take it, also where an older ganbench or another program wrote it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ganbench.core.messages import shown
from ganbench.plugin.column import Column

_INFINITIES = {"inf": math.inf, "-inf": -math.inf}
#: Whole numbers of more bits than a table's are floats; beyond the greatest float, an infinity.
_TOO_WIDE = 2**63


def number(value: Any) -> Any:
    """A number as the journal holds it, as the tables do: the texts for infinities are infinities, NaN is missing."""
    if isinstance(value, str):
        return _INFINITIES.get(value, value)
    if isinstance(value, float) and math.isnan(value):
        return None
    if type(value) is int and not -_TOO_WIDE <= value < _TOO_WIDE:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def text(value: str) -> str:
    """A text with what no file can hold, such as half of a pair of surrogates, written as its number."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def told(values: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """The values of a row of the journal, by the column's name; those of no column are texts, such as ``note``.

    Raises ValueError, naming the column, for a value of another kind than its column's.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        column = columns.get(name)
        if column is None or column.summary == "words":
            fits, noun = isinstance(value, str | None), "a text"
            found[name] = text(value) if isinstance(value, str) else value
        else:
            found[name] = own = number(value)
            fits, noun = isinstance(own, bool | int | float | None), "a number"
        if not fits:
            raise ValueError(f"the journal's value of {name!r} must be {noun}, not {shown(value)}")
    return found
