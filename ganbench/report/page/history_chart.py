"""A number of a case from run to run: its values, the shifts of its level, and where the next is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ganbench.compare.history.history import MeasuredRun
from ganbench.compare.history.prediction import expected
from ganbench.compare.history.series import Observation, Series
from ganbench.report.figures import SIGNS, interval
from ganbench.report.history import change, day, form_of, note, remarks
from ganbench.report.page.chart import PLAIN, Chart, columns, finished

_HEIGHT, _DATES = 200, 4
_BETTER = {"lower": "lower is better", "higher": "higher is better"}
_NAMES = ("variant", "kind", "place", "value", "low", "high", "until", "source", "stroke", "fill", "joined")
_TOLD = ("started", "run", "commit", "reads", "mind", "label")
#: What a point's table says of it.
_HEAD = ("started", "value", "commit", "note", "from", "seeds")


def history_chart(points: Sequence[MeasuredRun], one: Series, title: str) -> Chart:
    """The chart of a series. All runs have the same distance, whatever the time between them.

    Args:
        points: The runs of the history, oldest first.
        one: The series over these runs.
        title: What the chart is called.

    Returns:
        The chart, with a row of its table for each run.
    """
    values = [number for row in one.observations for number in (row.value, row.low, row.high) if number is not None]
    ends = _domain([number for number in (*values, *(expected(one) or ())) if math.isfinite(number)])
    rows = [*_band(one), *_shifts(one), *(_point(points, one, place, ends) for place in range(len(one.observations)))]
    told = [line for line in remarks(points, one) if not line.startswith("shift")]
    better = " · ".join(filter(None, [one.unit, _BETTER[one.better]]))
    return Chart(
        name=f"{one.dataset}-{one.variant}-{one.measure}-history",
        title=title,
        subtitle="; ".join([better, *told]),
        caption=f"{one.measure.replace('_', ' ')} of {one.case} in {len(one.observations)} runs, oldest first.",
        spec=_spec(points, one, ends),
        data=columns(rows, (*_NAMES, *_TOLD)),
        head=_HEAD,
        rows=tuple(_tabled(points, one, row) for row in one.observations),
    )


def _domain(finite: Sequence[float]) -> tuple[float, float]:
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    return low - margin if low < 0 or low - margin > 0 else low, high + margin


def _point(points: Sequence[MeasuredRun], one: Series, place: int, ends: tuple[float, float]) -> dict[str, Any]:
    """A value with its interval; an infinite one lies at the edge, with a sign."""
    seen, form = one.observations[place], form_of(one)
    run = points[seen.at]
    paint = "var(--dim)" if seen.reason else "var(--c3)" if run.source == "baseline" else "var(--c0)"
    low, high = (seen.value if end is None else end for end in (seen.low, seen.high))
    value, low, high = (min(max(number, ends[0]), ends[1]) for number in (seen.value, low, high))
    return {
        "variant": one.variant,
        "kind": "point",
        "place": place,
        "value": value,
        "low": low,
        "high": high,
        "source": run.source,
        "stroke": paint,
        "fill": paint if seen.counts else "var(--page)",
        "joined": not seen.reason,
        "started": _started(run),
        "run": run.name,
        "commit": run.commit[:10],
        "reads": form(seen.value) + interval(seen.low, seen.high, form, SIGNS[False]),
        "mind": " ".join(filter(None, (note(seen), run.reason))),
        "label": "" if math.isfinite(seen.value) else "∞" if seen.value > 0 else "−∞",
    }


def _shifts(one: Series) -> list[dict[str, Any]]:
    return [
        {
            "variant": one.variant,
            "kind": "shift",
            "place": shift.place - 0.5,
            "label": _signed(one, shift.before, shift.after),
        }
        for shift in one.shifts()
    ]


def _signed(one: Series, before: float, after: float) -> str:
    return change(one, before, after).replace("-", "−")


def _band(one: Series) -> list[dict[str, Any]]:
    """Where the next run should lie, drawn from the last shift on."""
    band = expected(one)
    if band is None:
        return []
    since = max((shift.place for shift in one.shifts()), default=0) - 0.5
    until = len(one.observations) - 0.5
    return [{"variant": one.variant, "kind": "band", "place": since, "until": until, "low": band[0], "high": band[1]}]


def _started(run: MeasuredRun) -> str:
    return f"{run.when:%Y-%m-%d %H:%M}"


def _tabled(points: Sequence[MeasuredRun], one: Series, seen: Observation) -> tuple[str, ...]:
    run, form, signs = points[seen.at], form_of(one), SIGNS[False]
    value = form(seen.value) + interval(seen.low, seen.high, form, signs)
    told = "; ".join(filter(None, (note(seen), run.reason)))
    return (_started(run), value, run.commit[:10] or signs.none, told, f"{run.source} {run.name}", str(seen.seeds))


def _dates(points: Sequence[MeasuredRun], one: Series) -> dict[int, str]:
    """A few days, by the places of their first runs."""
    days = [day(points[seen.at].when) for seen in one.observations]
    first = [place for place, name in enumerate(days) if place == 0 or name != days[place - 1]]
    apart = max(1, math.ceil(len(days) / _DATES))
    kept: list[int] = []
    for place in first:
        if not kept or place - kept[-1] >= apart:
            kept.append(place)
    return {place: days[place] for place in kept}


def _spec(points: Sequence[MeasuredRun], one: Series, ends: tuple[float, float]) -> Any:
    import altair as alt

    dates, count = _dates(points, one), len(one.observations)
    named = ", ".join(f"'{place}': '{date}'" for place, date in dates.items())
    axis = alt.Axis(values=list(dates), labelExpr=f"({{{named}}})[datum.value]", labelOverlap="greedy", labelFlush=True)
    places = alt.Scale(domain=[-0.5, count - 0.5], nice=False)
    x = alt.X("place:Q", title="runs, oldest first", scale=places, axis=axis)
    scale = alt.Scale(domain=list(ends), nice=False, zero=False)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5, labelExpr=PLAIN))

    def only(kind: str) -> str:
        return f"datum.kind == '{kind}'"

    base = alt.Chart().encode(x=x)
    band = base.mark_rect(color="var(--c0)", opacity=0.12).encode(
        x2="until:Q", y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"
    )
    shift = base.mark_rule(color="var(--c1)", strokeDash=[4, 3], strokeWidth=1.5)
    name = base.mark_text(align="left", baseline="top", dx=4, color="var(--c1)", fontSize=11).encode(
        y=alt.value(0), text="label:N"
    )
    line = base.mark_line(color="var(--c0)", strokeWidth=1.2, opacity=0.55).encode(y=y)
    bars = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
        y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q", stroke=alt.Stroke("stroke:N", scale=None)
    )
    shapes = alt.Scale(domain=["run", "baseline"], range=["circle", "square"])
    tooltip = [alt.Tooltip(f"{key}:N") for key in ("started", "run", "commit", "reads", "mind")]
    dots = base.mark_point(size=46, opacity=1, strokeWidth=1.5).encode(
        y=y,
        shape=alt.Shape("source:N", scale=shapes, title=None),
        stroke=alt.Stroke("stroke:N", scale=None),
        fill=alt.Fill("fill:N", scale=None),
        tooltip=tooltip,
    )
    edge = base.mark_text(dy=-9, color="var(--ink)").encode(y=y, text="label:N")
    layers = [
        band.transform_filter(only("band")),
        shift.transform_filter(only("shift")),
        name.transform_filter(only("shift")),
        line.transform_filter("datum.kind == 'point' && datum.joined"),
        bars.transform_filter(only("point")),
        dots.transform_filter(only("point")),
        edge.transform_filter(only("point")),
    ]
    return finished(alt.layer(*layers), height=_HEIGHT)
