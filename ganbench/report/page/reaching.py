"""How many seeds have reached something by which step: those that never do count to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.status import Status
from ganbench.record.tables.hold import hold
from ganbench.record.tables.values import last_values
from ganbench.record.verdict import HELD
from ganbench.report.figures import SIGNS, estimates
from ganbench.report.page.chart import SHORT, Chart, colour, columns, dash, finished, shape
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun

_HEIGHT = 220


def reaching(run: ShownRun, dataset: str, column: Column, marks: Mapping[str, Mark]) -> Chart | None:
    """The share of seeds that hold a ``share`` column, by the step from which on they do.

    All seeds are followed to the same last step, so the share at each step is exact: a seed that never gets there, or
    that diverges, is counted at no step.

    Args:
        run: The run.
        dataset: One of its datasets.
        column: One of its ``share`` columns.
        marks: How the variants are drawn.

    Returns:
        The chart; None where the column has no value on the dataset.
    """
    cells = [cell for cell in run.cells(dataset) if last_values(cell, column)]
    if not cells:
        return None
    label = column.name.replace("_", " ")
    rows: list[dict[str, Any]] = []
    for cell in cells:
        rows += _stairs(cell, column)
    frame = run.table
    places = [
        next(at for at, row in enumerate(zip(frame["dataset"], frame["variant"], strict=True)) if row == name)
        for name in ((cell.dataset, cell.variant) for cell in cells)
    ]
    some = frame.iloc[places]
    missing = ["never in half of the seeds"] * len(some)
    since = estimates(some, column.held, missing, SIGNS[False], form="{:.0f}".format)
    first = estimates(some, column.first, missing, SIGNS[False], form="{:.0f}".format)
    reached = [f"{rows_[-1]['seeds']} of {rows_[-1]['of']}" for rows_ in (_stairs(cell, column) for cell in cells)]
    return Chart(
        name=f"{dataset}-{column.name}-reached",
        title=f"Steps to hold {label}",
        subtitle="share of seeds that hold it from this step on",
        caption=(
            f"Share of the seeds on {dataset} that have reached {label} and held it for {HELD} evaluations, or for all "
            "where there are fewer, by the step from which on they do. The end of a line is the share that ever did."
        ),
        spec=_spec([marks[cell.variant] for cell in cells], max(cell.steps - cell.turn for cell in cells)),
        data=columns(rows, ("variant", "step", "share", "seeds", "of", "end")),
        head=("variant", "seeds that hold it", "median step", "first reached at"),
        rows=tuple(
            (cell.variant, count, "".join(one), "".join(other))
            for cell, count, one, other in zip(cells, reached, since, first, strict=True)
        ),
    )


def _stairs(cell: CellRecord, column: Column) -> list[dict[str, Any]]:
    diverged = {seed for seed in cell.seeds if cell.outcome(seed).status is Status.DIVERGED}
    seeds = sorted(last_values(cell, column).keys() | diverged)
    since = sorted(step for seed in seeds if (step := hold(cell, seed, column).since) is not None)
    steps = [0, *dict.fromkeys(since), cell.steps - cell.turn]
    return [
        {"variant": cell.variant, "step": step, "seeds": (count := sum(one <= step for one in since))}
        | {"share": count / len(seeds), "of": len(seeds), "end": place == len(steps) - 1}
        for place, step in enumerate(steps)
    ]


def _spec(known: Sequence[Mark], steps: int) -> Any:
    import altair as alt

    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    x = alt.X("step:Q", title="steps", scale=alt.Scale(domain=[0, steps]), axis=alt.Axis(tickCount=5, labelExpr=SHORT))
    base = alt.Chart().encode(x=x, y=y, color=colour(known))
    tooltip = [alt.Tooltip("variant:N"), alt.Tooltip("step:Q", format=","), alt.Tooltip("seeds:Q"), alt.Tooltip("of:Q")]
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(strokeDash=dash(known))
    points = base.mark_point(size=60, filled=True, opacity=1, clip=False).encode(shape=shape(known), tooltip=tooltip)
    return finished(line + points.transform_filter("datum.step > 0"), height=_HEIGHT)
