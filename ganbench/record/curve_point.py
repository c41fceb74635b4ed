"""The numbers of a seed at one evaluation, found by the roles of the columns: its verdict is made from these."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ganbench.plugin.column import Column, find, interval_of
from ganbench.plugin.role import LOWER_BOUND, Thresholds


class CurvePoint(NamedTuple):
    """The numbers of one row; None for what is missing. Of ``value``, ``low`` and ``high`` larger is worse.

    ``bound``: the value is a bound: the true one may be worse, and is not better. ``scale_missing``: there is a column
    of the samples' std, and it has no number.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    bound: bool = False
    covered: int | None = None
    total: int | None = None
    largest: float | None = None
    scale: float | None = None
    scale_missing: bool = False
    location: float | None = None
    logits: float | None = None

    @property
    def at_one_mode(self) -> float:
        """The largest share of the samples at one of several modes; 0 where that is not known."""
        return self.largest if self.largest is not None and (self.total or 0) > 1 else 0.0

    @property
    def known(self) -> float:
        """The value, where it is certain that there is one."""
        assert self.value is not None
        return self.value

    @property
    def least(self) -> float:
        """The best that the value may be, by its interval."""
        return self.known if self.low is None else self.low

    @property
    def noise(self) -> float:
        """Half the width of the value's interval; 0 where it has none."""
        if self.low is None or self.high is None or not math.isfinite(self.high - self.low):
            return 0.0
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class PrimaryScale:
    """How the values of the primary column are judged and printed; a value is as in ``CurvePoint``: larger is worse.

    ``label``: what the column is called. ``sign``: 1 where lower is better, else -1.
    """

    label: str
    sign: int
    thresholds: Thresholds

    @classmethod
    def of(cls, columns: Sequence[Column]) -> PrimaryScale | None:
        """The scale of the primary one of these columns; None where there is none."""
        primary = find(columns, "primary")
        if primary is None or primary.thresholds is None:
            return None
        return cls(primary.label, 1 if primary.better == "lower" else -1, primary.thresholds)

    def converged(self, value: float) -> bool:
        """Whether a value is so good that it counts as converged."""
        return value <= self.sign * self.thresholds.converged

    def text(self, *values: float) -> str:
        """The values, or their lowest and highest, after the column's name: ``JSD 0.031 to 0.083``."""
        own = [self.sign * value for value in values]
        low, high = self.number(self.sign * min(own)), self.number(self.sign * max(own))
        return f"{self.label} {low}" if low == high else f"{self.label} {low} to {high}"

    def number(self, value: float) -> str:
        """A value as the column has it, with as many decimals as its thresholds justify."""
        return f"{self.sign * value:.{self.thresholds.decimals}f}"


def curve_points(curve: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[CurvePoint]:
    """A ``CurvePoint`` of each row of a seed. An infinity may be a text, as in the journal."""
    primary, covered = find(columns, "primary"), find(columns, "covered")
    name, sign = (primary.name, 1 if primary.better == "lower" else -1) if primary else ("", 1)
    low, high = interval_of(columns, name)[::sign]
    method, total = find(columns, "method", name), find(columns, "total", covered.name) if covered else None
    largest, scale = find(columns, "largest"), find(columns, "scale")
    location, logits = find(columns, "location"), find(columns, "logits")

    def number(row: Mapping[str, Any], column: Column | None) -> float | None:
        value = None if column is None else row.get(column.name)
        return None if value is None else float(value)

    def signed(row: Mapping[str, Any], column: Column | None) -> float | None:
        value = number(row, column)
        return None if value is None else sign * value

    return [
        CurvePoint(
            value=signed(row, primary),
            low=signed(row, low),
            high=signed(row, high),
            bound=method is not None and row.get(method.name) == LOWER_BOUND,
            covered=row.get(covered.name) if covered else None,
            total=row.get(total.name) if total else None,
            largest=number(row, largest),
            scale=number(row, scale),
            scale_missing=scale is not None and scale.name in row and row[scale.name] is None,
            location=number(row, location),
            logits=number(row, logits),
        )
        for row in curve
    ]
