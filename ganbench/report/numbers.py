"""Numbers for a person: as many digits as are significant, one format for a whole column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

Format = Callable[[float], str]


def common(values: Iterable[float]) -> Format:
    """One format for all these numbers: three significant digits of the largest; whole numbers stay whole."""
    finite = [abs(value) for value in values if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if largest < 1e7 and all(float(2 * value).is_integer() for value in finite):
        return "{:.8g}".format
    if not 1e-4 <= largest < 1e6:
        return "{:.3g}".format
    decimals = max(0, 2 - math.floor(math.log10(largest)))
    return f"{{:.{decimals}f}}".format


def thousands(value: float) -> str:
    """Three significant digits and a k, M or G: 12345.0 is 12.3k."""
    if not math.isfinite(value):
        return str(value)
    size = 0
    # What rounds up to a thousand belongs to the next size.
    while abs(value) >= 999.5 and size < 3:
        value /= 1000
        size += 1
    decimals = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if size == 0 and "." in text else text) + ("", "k", "M", "G")[size]


def duration(seconds: float) -> str:
    """Whole seconds, minutes or hours: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
