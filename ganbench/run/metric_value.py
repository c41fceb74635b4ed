"""A value that a metric gives for one of its columns, as the plain number or words that the journal holds."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

from ganbench.core.messages import shown
from ganbench.plugin.column import Column
from ganbench.plugin.types import MetricValue

#: Whole numbers from here on, and below minus this, are no whole numbers to the tables: they have 64 bits.
TOO_WIDE = 2**63
#: The most characters of a column of words: readers of CSV files refuse fields that are much longer.
LONGEST = 10_000
_ONE = ": take its .mean(), or declare a Column for each"


def plain(value: Any, column: Column) -> MetricValue:
    """The value as bool, int, float, str or None: None for NaN and for no words, an infinity as it is.

    A whole number of more than 64 bits becomes a float. A character that no file can hold, such as half of a pair of
    surrogates, is written as its number. Raises ValueError, naming the column, for what does not fit it.
    """
    item = _item(value, column)
    if column.summary == "words":
        return _words(item, column)
    if isinstance(item, float) and math.isnan(item):
        return None
    if column.summary == "share" and not isinstance(item, bool | None):
        raise ValueError(f"{column.name} is a share of seeds, and must be true or false, not {described(item)}")
    if item is None or isinstance(item, bool):
        return item
    if type(item) is int and -TOO_WIDE <= item < TOO_WIDE:
        return item
    if isinstance(item, int):
        return int(item) if -TOO_WIDE <= item < TOO_WIDE else _float(item, column)
    if isinstance(item, Real | Decimal):
        number = _float(item, column)
        return None if math.isnan(number) else number
    cure = ': float() makes one of it, and Column(..., summary="words") is for words' if isinstance(item, str) else ""
    raise ValueError(f"{column.name} must be a number, not {described(item)}{cure}")


def described(value: Any) -> str:
    """A value of any kind in a message, on one short line, whatever its own ``repr`` does."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    if isinstance(value, int) and abs(value) >= TOO_WIDE:
        return f"a whole number of {abs(value).bit_length()} bits"
    try:
        return " ".join(shown(value).split())
    except Exception:
        return f"a {type(value).__name__}"


def _item(value: Any, column: Column) -> Any:
    """The one number in a tensor or an array; any other value as it is."""
    if not callable(item := getattr(value, "item", None)):
        return value
    try:
        return item()
    except Exception:
        place = f" on the device {value.device}" if str(getattr(value, "device", "cpu")) == "meta" else ""
        raise ValueError(f"{column.name} must be one number, not {described(value)}{place or _ONE}") from None


def _float(item: Any, column: Column) -> float:
    try:
        return float(item)
    except (ArithmeticError, ValueError):
        raise ValueError(f"{column.name} must be a number that a float can hold, not {described(item)}") from None


def _words(item: Any, column: Column) -> str | None:
    if not isinstance(item, str | None):
        raise ValueError(f"{column.name} must be words, not {described(item)}")
    if not item:
        return None
    if len(item) > LONGEST:
        raise ValueError(f"{column.name} must be words of at most {LONGEST} characters, not {len(item)}")
    return item.encode("utf-8", "backslashreplace").decode()
