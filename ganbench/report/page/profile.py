"""Performance profiles, and the best of k tries of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.report.figures import SIGNS, interval, title
from ganbench.report.numbers import Format, common
from ganbench.report.page.chart import Chart, colour, columns, dash, faint, finished, shape
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun

_HEIGHT = 260
#: So many values of tau stand in the table.
_TABLED = 8


def profile(run: ShownRun, marks: Mapping[str, Mark]) -> Chart | None:
    """The share of each variant's runs, over seeds and datasets, that are as good as a value; None: no such value."""
    frame, column = run.profiles, run.main
    frame = frame[~frame["reference"].astype(bool)]
    if frame.empty or column is None:
        return None
    name, _ = title(column, SIGNS[True])
    known = [marks[str(one)] for one in dict.fromkeys(frame["variant"])]
    taus = sorted(set(map(float, frame["tau"])))
    shown = taus[:: max(1, (len(taus) - 1) // (_TABLED - 1))]
    form = common(shown)
    by_row = {(row["variant"], float(row["tau"])): row for row in frame.to_dict("records")}
    side = "at most" if column.better == "lower" else "at least"
    return Chart(
        name="profiles",
        title="Performance profile",
        subtitle=f"share of all seeds with {name} {side} this, over all datasets",
        caption=(
            f"Share of a variant's seeds, over all datasets, with {name} {side} the value on the axis, with exact 95 % "
            "intervals (Clopper and Pearson) at each value; after Agarwal et al. 2021. Higher, and further to the "
            f"{'left' if column.better == 'lower' else 'right'}, is better."
        ),
        spec=_profile_spec(known, name + (f", {column.unit}" if column.unit else "")),
        data=columns(frame.to_dict("records"), ("variant", "tau", "share", "low", "high")),  # type: ignore[arg-type]
        head=("variant", *(f"{side} {form(tau)}" for tau in shown)),
        rows=tuple((one.variant, *(_percent(by_row.get((one.variant, tau))) for tau in shown)) for one in known),
    )


def best_of_k(run: ShownRun, dataset: str, marks: Mapping[str, Mark]) -> Chart | None:
    """The median best of k settings of each swept variant on a dataset.

    Args:
        run: The run.
        dataset: One of its datasets.
        marks: How the variants are drawn.

    Returns:
        The chart; None where no variant is swept.
    """
    column = run.main
    if run.tries is None or column is None:
        return None
    rows = run.tries[run.tries["dataset"] == dataset]
    if rows.empty:
        return None
    first = {cell.family: marks[cell.variant] for cell in reversed(run.cells(dataset))}
    known = [
        Mark(str(one), first[one].colour, first[one].shape, first[one].dash) for one in dict.fromkeys(rows["family"])
    ]
    name, _ = title(column, SIGNS[True])
    numbers = rows.rename(columns={"family": "variant"}).to_dict("records")
    form = common([float(row[key]) for row in numbers for key in ("best", "low", "high") if row[key] == row[key]])
    most = sorted(set(map(int, rows["k"])))
    by_row = {(row["variant"], int(row["k"])): row for row in numbers}
    texts = tuple((one.variant, *(_estimate(by_row.get((one.variant, k)), form) for k in most)) for one in known)
    return Chart(
        name=f"{dataset}-best-of-k",
        title="Best of k tries",
        subtitle=f"median {name} of the best of k settings picked at random"
        + (f", {column.unit}" if column.unit else ""),
        caption=(
            f"Median {name} on {dataset} of the best of k settings, picked at random and none twice, each with one "
            "seed; 95 % bootstrap intervals over seeds. Picked and judged by the same number, so optimistic: "
            "compare at the same k only."
        ),
        spec=_tries_spec(known, most[-1]),
        data=columns(numbers, ("variant", "k", "best", "low", "high")),  # type: ignore[arg-type]
        head=("variant", *(f"k = {k}" for k in most)),
        rows=texts,
    )


def _percent(row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return SIGNS[False].none
    return f"{row['share']:.0%} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _estimate(row: Mapping[Any, Any] | None, form: Format) -> str:
    if row is None or row["best"] != row["best"]:
        return SIGNS[False].none
    low, high = (None if row[key] != row[key] else float(row[key]) for key in ("low", "high"))
    return form(row["best"]) + interval(low, high, form, SIGNS[False])


def _profile_spec(known: Sequence[Mark], label: str) -> Any:
    import altair as alt

    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    base = alt.Chart().encode(x=alt.X("tau:Q", title=label, axis=alt.Axis(tickCount=6)), color=colour(known))
    band = base.mark_area(opacity=faint(0.08, len(known))).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    tooltip = [alt.Tooltip("variant:N")]
    tooltip += [alt.Tooltip("tau:Q", format=".3~g"), alt.Tooltip("share:Q", format=".0%")]
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=dash(known))
    thinned = base.mark_point(size=46, filled=True, opacity=1).encode(y=y, shape=shape(known), tooltip=tooltip)
    every = thinned.transform_window(at="row_number()", groupby=["variant"]).transform_filter("datum.at % 10 == 1")
    return finished(band + line + every, height=_HEIGHT)


def _tries_spec(known: Sequence[Mark], most: int) -> Any:
    import altair as alt

    scale = alt.Scale(zero=False)
    axis = alt.Axis(tickMinStep=1, format="d", tickCount=min(most, 8))
    x = alt.X("k:Q", title="tries k", axis=axis, scale=alt.Scale(domain=[1, max(most, 2)]))
    base = alt.Chart().encode(x=x, color=colour(known))
    band = base.mark_area(opacity=faint(0.13, len(known))).encode(
        y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"
    )
    y = alt.Y("best:Q", title=None, scale=scale)
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=dash(known))
    tooltip = [alt.Tooltip("variant:N"), alt.Tooltip("k:Q")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("best", "low", "high")]
    points = base.mark_point(size=46, filled=True, opacity=1).encode(y=y, shape=shape(known), tooltip=tooltip)
    return finished(band + line + points, height=_HEIGHT)
