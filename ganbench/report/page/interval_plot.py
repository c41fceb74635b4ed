"""How far each variant is from the first one on the same seeds: intervals, beside the line of no difference."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganbench.plugin.column import Column
from ganbench.report.figures import SIGNS, estimates, percent, title
from ganbench.report.numbers import common
from ganbench.report.page.chart import SIGNED, Chart, colour, columns, finished, shape
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun

_ROW = 30


def interval_plot(run: ShownRun, dataset: str, column: Column, marks: dict[str, Mark]) -> Chart | None:
    """The differences of a dataset in one column.

    Args:
        run: The run.
        dataset: One of its datasets.
        column: One of its columns with a better side.
        marks: How the variants are drawn.

    Returns:
        The chart; None where there is no difference with an interval.
    """
    frame = run.differences
    rows = frame[(frame["dataset"] == dataset) & (frame["column"] == column.name)]
    rows = rows[rows["difference"].notna()]
    if rows.empty or not rows["low"].notna().any() or not (rows[["difference", "low", "high"]] != 0).any(axis=None):
        return None
    baseline, name = str(rows["baseline"].iloc[0]), title(column, SIGNS[True])[0]
    variants = [str(one) for one in rows["variant"]]
    numbers = [
        {"variant": one["variant"], "difference": one["difference"], "low": one["low"], "high": one["high"]}
        for one in rows.to_dict("records")
    ]
    return Chart(
        name=f"{dataset}-{column.name}-differences",
        title=f"{name}: difference to {baseline}",
        subtitle=f"variant minus {baseline} on the same seeds" + (f", {column.unit}" if column.unit else ""),
        caption=(
            f"Interquartile mean of the paired differences of {name} to {baseline} on {dataset}, with 95 % bootstrap "
            "intervals over seeds."
        ),
        spec=_spec(variants, column, [marks[one] for one in variants if one in marks]),
        data=columns(numbers, ("variant", "difference", "low", "high")),
        head=("variant", "difference", "better in", "p (Holm)", "detectable"),
        rows=_table(rows),
    )


def _table(rows: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    missing, signs = ["n/a"] * len(rows), SIGNS[False]
    plain = common(float(number) for name in ("difference", "low", "high") for number in rows[name].dropna())

    def signed(number: float) -> str:
        return ("+" if number > 0 else "") + plain(number)

    apart = estimates(rows, "difference", missing, signs, ends=("low", "high"), form=signed)
    better = estimates(rows, "improves", missing, signs, form=percent)
    floor = estimates(rows, "detectable", missing, signs)
    p_values = ["n/a" if pd.isna(p) else "<0.001" if p < 0.001 else f"{p:.3f}" for p in rows["p_holm"]]
    return tuple(
        (str(variant), "".join(one), f"{number}{ends}" + (" %" if ends else ""), p, detect[0])
        for variant, one, (number, ends), p, detect in zip(rows["variant"], apart, better, p_values, floor, strict=True)
    )


def _spec(variants: list[str], column: Column, known: list[Mark]) -> Any:
    import altair as alt

    better, worse = ("← better", "worse →") if column.better == "lower" else ("← worse", "better →")
    y = alt.Y("variant:N", sort=variants, title=None, axis=alt.Axis(domain=False, ticks=False, labelLimit=220))
    scale = alt.Scale(zero=True, nice=True)
    base = alt.Chart().encode(y=y, color=colour(known))
    axis = alt.Axis(labelExpr=SIGNED, tickCount=6)
    x = alt.X("low:Q", title=f"{better} · {worse}", scale=scale, axis=axis)
    bars = base.mark_rule(strokeWidth=3, opacity=0.55).encode(x=x, x2="high:Q")
    tooltip = [alt.Tooltip(f"{name}:{kind}") for name, kind in (("variant", "N"), ("difference", "Q"), ("low", "Q"))]
    points = base.mark_point(size=90, filled=True, opacity=1).encode(
        x=alt.X("difference:Q", scale=scale), shape=shape(known), tooltip=[*tooltip, alt.Tooltip("high:Q")]
    )
    zero = alt.Chart().mark_rule(color="var(--dim)", strokeWidth=1).encode(x=alt.datum(0))
    return finished(zero + bars + points, height=_ROW * len(variants) + 10)
