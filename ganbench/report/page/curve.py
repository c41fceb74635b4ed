"""A number over the steps: its median over seeds with the interval, a thin line for each seed, and the references."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.plugin.column import Column, find
from ganbench.record.cell_record import CellRecord
from ganbench.record.status import Status
from ganbench.record.tables.values import values
from ganbench.record.told import number
from ganbench.report.figures import SIGNS, interval, title
from ganbench.report.numbers import common
from ganbench.report.page.chart import PERCENT, PLAIN, SHORT, Chart, colour, columns, dash, faint, finished, shape
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun
from ganbench.stats.intervals import Interval, median, share

#: Labels of references that are nearer than this share of the axis stand on one line.
_NEAR = 0.05
_HEIGHT = 220
_NAMES = ("kind", "variant", "seed", "step", "value", "low", "high", "label")


def shown_columns(run: ShownRun) -> list[Column]:
    """The columns with a curve: those of seeds that were measured at two steps or more, the main ones first."""
    first = [run.main, find(run.record.columns, "covered")]
    usual = [
        column
        for column in run.record.columns
        if column.summary in ("median", "share")
        and column not in first
        and column.role in ("value", "primary", "logits")
    ]
    ordered = [*(column for column in first if column is not None), *usual]
    return [one for one in ordered if any(_is_curve(cell, one) for cell in run.record.cells if not cell.reference)]


def curve(run: ShownRun, dataset: str, column: Column, marks: Mapping[str, Mark]) -> Chart | None:
    """The curve of a column on a dataset.

    A seed that diverged counts as the worst from then on, where the column has a better side; a median that is not
    finite is not drawn.

    Args:
        run: The run.
        dataset: One of its datasets.
        column: One of its columns.
        marks: How the variants are drawn.

    Returns:
        The chart; None where no seed has two numbers.
    """
    cells = [cell for cell in run.cells(dataset) if _is_curve(cell, column)]
    if not cells:
        return None
    middles = {cell.variant: {step: _middle(cell, column, step) for step in sorted(cell.evaluations)} for cell in cells}
    rows: list[dict[str, Any]] = []
    for cell in cells:
        if column.summary != "share":
            rows += [
                {"kind": "seed", "variant": cell.variant, "seed": seed, "step": step, "value": value}
                for seed in cell.seeds
                for step, row in cell.history(seed).items()
                if (value := number(row.values.get(column.name))) is not None and math.isfinite(value)
            ]
        for step, (value, low, high) in middles[cell.variant].items():
            rows.append(
                {"kind": "median", "variant": cell.variant, "step": step, "value": value, "low": low, "high": high}
            )
    domain = _domain(rows)
    references = _references(run, dataset, column, domain)
    name, _ = title(column, SIGNS[True])
    what = "Share of seeds" if column.summary == "share" else "Median over seeds"
    lines = "" if column.summary == "share" else "; thin: each seed"
    beside = "; dashed grey: references" if references else ""
    left = sum(row["kind"] == "seed" and not domain[0] <= row["value"] <= domain[1] for row in rows)
    beyond = f" {left} values of single seeds are beyond the axis." if left else ""
    return Chart(
        name=f"{dataset}-{column.name}-curve",
        title=name + (f", {column.unit}" if column.unit else ""),
        subtitle=column.doc,
        caption=f"{what} on {dataset}, with its exact 95 % interval{lines}{beside}.{beyond}",
        spec=_spec(column, [marks[cell.variant] for cell in cells], domain, max(cell.steps for cell in cells)),
        data=columns([*rows, *references], _NAMES),
        head=("variant", *(f"{step:,}" for step in _steps(cells))),
        rows=_table(cells, middles),
    )


def _is_curve(cell: CellRecord, column: Column) -> bool:
    found = (
        any(row.values.get(column.name) is not None for row in rows.values()) for rows in cell.evaluations.values()
    )
    return sum(found) > 1


def _middle(cell: CellRecord, column: Column, step: int) -> Interval:
    """The median of the seeds at a step, or the share of those where it is true; seeds that diverged are the worst."""
    rows = cell.evaluations[step]
    known = {seed: number(row.values.get(column.name)) for seed, row in rows.items()}
    numbers = [float(value) for value in known.values() if value is not None]
    gone = [seed for seed in cell.seeds if seed not in rows and cell.outcome(seed).status is Status.DIVERGED]
    lacking = len(gone) + sum(value is None for value in known.values())
    if column.summary == "share":
        return share(round(sum(numbers)), len(numbers) + lacking)
    worst = {"lower": math.inf, "higher": -math.inf}.get(column.better)
    return median(numbers if worst is None or not numbers else [*numbers, *[worst] * lacking])


def _domain(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The ends of the axis: all medians with their intervals, and seeds as far as they do not press these flat."""
    known = [row[key] for row in rows if row["kind"] == "median" for key in ("value", "low", "high")]
    middle = [float(value) for value in known if value is not None]
    seeds = sorted(float(row["value"]) for row in rows if row["kind"] == "seed")
    low, high = min(middle or seeds or [0.0]), max(middle or seeds or [1.0])
    room = 1.5 * (high - low) or abs(high) or 1.0
    low = min([low, *(value for value in seeds if value >= low - room)])
    high = max([high, *(value for value in seeds if value <= high + room)])
    margin = 0.03 * (high - low) or abs(high) or 1.0
    return (low - margin if low < 0 or low - margin > 0 else low, high + margin)


def _references(run: ShownRun, dataset: str, column: Column, ends: tuple[float, float]) -> list[dict[str, Any]]:
    """A line for each reference within the axis; those that lie near each other share a label."""
    if column.summary == "share":
        return []
    found = [(median(values(cell, column).values()).value, cell.variant) for cell in run.cells(dataset, reference=True)]
    inside = sorted((value, name) for value, name in found if value is not None and ends[0] <= value <= ends[1])
    rows: list[dict[str, Any]] = []
    for value, name in inside:
        if rows and value - rows[-1]["value"] < _NEAR * (ends[1] - ends[0]):
            rows[-1]["label"] += f", {name}"
        else:
            rows.append({"kind": "reference", "variant": name, "value": value, "label": name})
    return rows


def _steps(cells: Sequence[CellRecord]) -> list[int]:
    return sorted({step for cell in cells for step in cell.evaluations})


def _table(cells: Sequence[CellRecord], middles: Mapping[str, Mapping[int, Interval]]) -> tuple[tuple[str, ...], ...]:
    every = [end for of_step in middles.values() for one in of_step.values() for end in one if end is not None]
    form, signs = common(every), SIGNS[False]
    rows = []
    for cell in cells:
        texts = []
        for step in _steps(cells):
            one = middles[cell.variant].get(step)
            value = signs.none if one is None or one.value is None else form(one.value)
            texts.append(value if one is None else value + interval(one.low, one.high, form, signs))
        rows.append((cell.variant, *texts))
    return tuple(rows)


def _spec(column: Column, known: Sequence[Mark], ends: tuple[float, float], steps: int) -> Any:
    import altair as alt

    share_ = column.summary == "share"
    scale = alt.Scale(domain=[0, 1] if share_ else list(ends), nice=False, zero=False)
    apart = 1 if column.role == "covered" else alt.Undefined
    axis = alt.Axis(tickCount=5, tickMinStep=apart, labelExpr=PERCENT if share_ else PLAIN)
    x = alt.X("step:Q", title="steps", scale=alt.Scale(domain=[0, steps]), axis=alt.Axis(tickCount=5, labelExpr=SHORT))
    y = alt.Y("value:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart().encode(x=x, color=colour(known))

    def only(kind: str) -> str:
        return f"datum.kind == '{kind}'"

    tooltip = [alt.Tooltip("variant:N"), alt.Tooltip("step:Q", format=",")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]
    seeds = base.mark_line(strokeWidth=0.7, opacity=faint(0.28, len(known)), clip=True).encode(y=y, detail="seed:N")
    band = base.mark_area(opacity=faint(0.07 if share_ else 0.14, len(known)), clip=True).encode(
        y=alt.Y("low:Q", scale=scale), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.2, clip=True).encode(y=y, strokeDash=dash(known))
    # Medians are within the axis, and a point on its edge is drawn whole.
    points = base.mark_point(size=46, filled=True, opacity=1).encode(y=y, shape=shape(known), tooltip=tooltip)
    grey = alt.Chart().encode(y=y)
    rule = grey.mark_rule(color="var(--dim)", strokeDash=[3, 3], strokeWidth=1)
    # Lines cross the names of references, so each name has an edge of the page's colour behind it.
    labels = [
        grey.mark_text(align="right", baseline="bottom", dy=-2, dx=-2, fontSize=10, **paint).encode(
            x=alt.value("width"), text="label:N"
        )
        for paint in (
            {"color": "var(--page)", "stroke": "var(--page)", "strokeWidth": 3, "opacity": 0.85},
            {"color": "var(--dim)"},
        )
    ]
    layers = [
        seeds.transform_filter(only("seed")),
        band.transform_filter(only("median")),
        line.transform_filter(only("median")),
        points.transform_filter(only("median")),
        rule.transform_filter(only("reference")),
        *(label.transform_filter(only("reference")) for label in labels),
    ]
    return finished(alt.layer(*layers), height=_HEIGHT)
