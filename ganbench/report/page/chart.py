"""A chart of a page: what is drawn, the numbers behind it, and what a caption says of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report.page.marks import Mark

if TYPE_CHECKING:
    import altair

#: The name of a chart's data, which are kept apart from its specification.
DATA = "drawn"
#: The parameter of a chart that names the variants which are not drawn.
HIDDEN = "hidden"
#: How an axis writes its numbers, each by itself: 0, 200, 1.5k, 3M.
SHORT = "format(datum.value, '~s')"
#: The same in full. An axis by itself takes no more digits than tell its ticks apart, and writes 10 as 1e+1.
PLAIN = "format(datum.value, '~g')"
PERCENT = "format(datum.value, '.0%')"
SIGNED = "datum.value ? format(datum.value, '+~g') : '0'"
_DIGITS = 5
#: So many bands over each other can still be told apart.
_OVER = 4

Columns = Mapping[str, Sequence[Any]]
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A chart and the table behind it.

    ``name``: of its files. ``subtitle``: what is measured. ``caption``: what the signs mean. ``spec``: Vega-Lite,
    without the data. ``data``: the values by column. ``head``, ``rows``: the table; its first column names the rows.
    ``key``: signs with their meaning and colour, where a chart has its own. ``row``: the name of the file in which it
    stands beside others; empty where it has a file of its own.
    """

    name: str
    title: str
    subtitle: str
    caption: str
    spec: Mapping[str, Any]
    data: Columns
    head: tuple[str, ...]
    rows: Rows
    key: tuple[tuple[str, str, str], ...] = ()
    row: str = ""


def columns(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Columns:
    """Rows as columns that JSON can hold: a number that is missing or not finite is None."""
    kept = list(rows)
    return {name: [_plain(row.get(name)) for row in kept] for name in names}


def finished(chart: altair.TopLevelMixin, *, height: int | None = None) -> Mapping[str, Any]:
    """The specification of a chart as wide as its place, whose variants can be hidden.

    Its data must have a column ``variant``.
    """
    spec: dict[str, Any] = chart.to_dict(validate=False)  # checked in the tests: it takes longer than all else
    for name in ("config", "$schema", "datasets"):
        spec.pop(name, None)
    for layer in spec.get("layer", ()):
        layer.pop("data", None)
    spec["params"] = [{"name": HIDDEN, "value": []}, *spec.get("params", [])]
    spec["transform"] = [{"filter": f"indexof({HIDDEN}, datum.variant) < 0"}, *spec.get("transform", [])]
    spec |= {"data": {"name": DATA}, "width": "container"}
    return spec if height is None else spec | {"height": height}


def faint(opacity: float, variants: int) -> float:
    """The opacity of what lies over another for each variant: of many, all together are as dark as four."""
    return opacity * min(1.0, _OVER / max(variants, 1))


def colour(marks: Iterable[Mark]) -> altair.Color:
    """The encoding of variants by their colours."""
    import altair as alt

    known = list(marks)
    scale = alt.Scale(domain=[one.variant for one in known], range=[one.paint for one in known])
    return alt.Color("variant:N", scale=scale, title=None)


def shape(marks: Iterable[Mark]) -> altair.Shape:
    """The encoding of variants by their shapes."""
    import altair as alt

    known = list(marks)
    scale = alt.Scale(domain=[one.variant for one in known], range=[one.shape for one in known])
    return alt.Shape("variant:N", scale=scale, title=None)


def dash(marks: Iterable[Mark]) -> altair.StrokeDash:
    """The encoding of variants by their dashes."""
    import altair as alt

    known = list(marks)
    scale = alt.Scale(domain=[one.variant for one in known], range=[list(one.dash) for one in known])
    return alt.StrokeDash("variant:N", scale=scale, title=None)


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
