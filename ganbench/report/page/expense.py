"""What a step of each variant costs: times with their range, counts and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.plugin.column import Column, interval_of
from ganbench.record.told import number
from ganbench.report.figures import SIGNS, title
from ganbench.report.numbers import thousands
from ganbench.report.page.chart import SHORT, Chart, colour, columns, finished, shape
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun

_ROW = 24
#: Where the largest number is so many times the least, the axis is logarithmic.
_WIDE = 30.0


def expense(run: ShownRun, column: Column, marks: Mapping[str, Mark]) -> Chart | None:
    """A number of the cells, such as a speed, for each variant.

    Args:
        run: The run.
        column: One of its columns, of a clock, a count or a memory.
        marks: How the variants are drawn.

    Returns:
        The chart; None where no two variants differ in the number.
    """
    low, high = interval_of(run.record.columns, column.name)
    rows: list[dict[str, Any]] = []
    for cell in run.record.cells:
        value = number(cell.speed.get(column.name))
        if cell.reference or value is None or not math.isfinite(value):
            continue
        ends = [value if one is None else number(cell.speed.get(one.name)) for one in (low, high)]
        row = {"variant": cell.variant, "dataset": cell.dataset, "value": value, "low": ends[0], "high": ends[1]}
        rows.append(row)
    variants = list(dict.fromkeys(str(row["variant"]) for row in rows))
    if len(variants) < 2 or len({row["value"] for row in rows}) < 2:
        return None
    name, under = title(column, SIGNS[True])
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    better = {"lower": "lower is better", "higher": "higher is better", "neither": ""}[column.better]
    values = [float(row["value"]) for row in rows]
    by_row = {(row["variant"], row["dataset"]): row for row in rows}
    return Chart(
        name=f"cost-{column.name}",
        title=", ".join(filter(None, [name, under])),
        subtitle=", ".join(filter(None, [column.doc, better])),
        caption=f"{column.doc}: a point for each dataset, with its range where the clock was read several times.",
        spec=_spec([marks[one] for one in variants], min(values) > 0 and max(values) > _WIDE * min(values)),
        data=columns(rows, ("variant", "dataset", "value", "low", "high")),
        head=("variant", *datasets),
        rows=tuple((one, *(_text(by_row.get((one, dataset))) for dataset in datasets)) for one in variants),
    )


def _text(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return SIGNS[False].none
    value = thousands(row["value"])
    if row["low"] is None or row["high"] is None or row["low"] == row["high"]:
        return value
    return f"{value} [{thousands(row['low'])}, {thousands(row['high'])}]"


def _spec(known: Sequence[Mark], logarithmic: bool) -> Any:
    import altair as alt

    scale = alt.Scale(type="log") if logarithmic else alt.Scale(zero=True)
    axis = alt.Axis(domain=False, ticks=False, labelLimit=200)
    y = alt.Y("variant:N", sort=[one.variant for one in known], title=None, axis=axis)
    base = alt.Chart().encode(y=y, color=colour(known))
    ticks = alt.Axis(tickCount=4, labelExpr=SHORT)
    range_ = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        x=alt.X("low:Q", title=None, scale=scale, axis=ticks), x2="high:Q"
    )
    tooltip = [alt.Tooltip("variant:N"), alt.Tooltip("dataset:N"), alt.Tooltip("value:Q", format=".4~s")]
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        x=alt.X("value:Q", title=None, scale=scale, axis=ticks), shape=shape(known), tooltip=tooltip
    )
    return finished(range_ + points, height=_ROW * len(known))
