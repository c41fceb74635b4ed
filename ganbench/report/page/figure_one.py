"""Figure 1 of the GAN paper, from a real run: for data on the line, p, q, D and the best D at four moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganbench.record.picture_arrays import DataPicture, Picture, centres
from ganbench.record.pictures import Pictures
from ganbench.report.page.best_d import best_of, densities
from ganbench.report.page.chart import Chart, columns, finished
from ganbench.report.page.marks import Mark
from ganbench.report.page.seed_order import OrderedSeed, chosen
from ganbench.report.page.shown_run import ShownRun

_MOMENTS, _ARROWS, _TABLED = 4, 22, 10
_HEIGHT, _TALLEST = 230, 3.0
#: The heights of the lines of x and of z below the curves.
_X, _Z = -0.08, -0.42
#: The curves, each with its colour, its dash and its width.
_CURVES = {
    "p, the data": ("var(--ink)", [2, 3], 2.0),
    "q, the generator": ("var(--c2)", [1, 0], 2.4),
    "D": ("var(--c0)", [7, 3], 2.0),
    "best D": ("var(--c1)", [2, 2, 7, 2], 1.6),
}


def figure_one(run: ShownRun, dataset: str, pictures: Pictures, marks: Mapping[str, Mark]) -> list[Chart]:
    """The four moments of the median seed of each variant on a dataset of the line.

    Args:
        run: The run.
        dataset: One of its datasets.
        pictures: The run's pictures.
        marks: How the variants are drawn.

    Returns:
        The charts; none where the data are not on the line.
    """
    data = pictures.data.get(dataset)
    if data is None or data.box is None or len(data.box) != 1 or data.density is None:
        return []
    found = []
    for cell in run.cells(dataset):
        some = [one for one in pictures.cells.get((dataset, cell.variant), ()) if one.points is not None]
        few = chosen(run, cell, some[-1].followed if some else ())
        if not few:
            continue
        which, seed = next((one for one in few if one[0].startswith(("median", "middle"))), few[0])
        own = [one for one in some if seed.seed in one.followed]
        places = sorted({round(place) for place in np.linspace(0, len(own) - 1, min(_MOMENTS, len(own)))})
        found += [_moment(cell.variant, own[place], data, which, seed) for place in places]
    return found


def _moment(variant: str, picture: Picture, data: DataPicture, which: str, seed: OrderedSeed) -> Chart:
    assert data.box is not None
    both = densities(picture, data, seed.seed)
    assert both is not None
    p, q = both
    at, place = centres(data.box, len(p))[0], picture.followed.index(seed.seed)
    top = float(p.max()) or 1.0
    tall = min(_TALLEST, max(1.15, 1.05 * float(q.max()) / top))
    curves = {"p, the data": p / top, "q, the generator": q / top}
    if picture.D is not None:
        curves |= {"D": picture.D[place], "best D": best_of(p, q)}
    rows: list[dict[str, Any]] = [
        {"variant": variant, "kind": name, "x": float(x), "y": float(y)}
        for name, values in curves.items()
        for x, y in zip(at[::2], values[::2], strict=True)
        if np.isfinite(y)
    ]
    rows += _arrows(variant, picture, data, seed.seed)
    ticks = range(0, len(at), max(1, len(at) // _TABLED))
    said = "" if picture.D is not None else " D is not drawn: of this loss it is no probability."
    arrows = " The lines below lead from z to G(z)." if picture.latents is not None else ""
    return Chart(
        name=f"{data.dataset}-{variant}-figure-{picture.step}",
        title=f"{variant}, step {picture.step:,}",
        subtitle=f"seed {seed.seed}, the {which.removesuffix(' seed')}",
        caption=(
            f"{data.dataset}, seed {seed.seed}, the {which}, at step {picture.step:,}. Dotted: the data's density p; "
            "line: the generator's, q, from its samples, on the same scale; dashed: D; dash and dot: "
            "the best D = p / (p + q)."
            f"{said}{arrows} After figure 1 of Goodfellow et al. 2014."
        ),
        spec=_spec(data.box[0], tall, picture.latents is not None),
        data=columns(rows, ("variant", "kind", "x", "y", "x2", "y2")),
        head=("x", *curves),
        rows=tuple((f"{at[tick]:.3g}", *(f"{one[tick]:.3f}" for one in curves.values())) for tick in ticks),
        row=f"{data.dataset}-{variant}-figure-1",
    )


def _arrows(variant: str, picture: Picture, data: DataPicture, seed: int) -> list[dict[str, Any]]:
    """Lines from z, whose range is drawn as wide as the box, to G(z)."""
    if picture.latents is None or picture.points is None or data.box is None:
        return []
    place = picture.seeds.index(seed)
    z, x = picture.latents[place], picture.points[place, :, 0]
    order = np.argsort(z)
    some = order[np.linspace(0.02 * len(z), 0.98 * len(z) - 1, _ARROWS).astype(int)]
    low, high = data.box[0]
    start, end = float(z[some[0]]), float(z[some[-1]])
    wide = (high - low) * 0.9 / ((end - start) or 1.0)
    return [
        {"variant": variant, "kind": "arrow", "x": float(low + 0.05 * (high - low) + (z[one] - start) * wide), "y": _Z}
        | {"x2": float(x[one]), "y2": _X}
        for one in some
        if low <= x[one] <= high
    ]


def _spec(box: np.ndarray, tall: float, below: bool) -> Any:
    import altair as alt

    names = list(_CURVES)
    scale = alt.Scale(domain=[float(box[0]), float(box[1])], nice=False)
    x = alt.X("x:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5))
    shown = alt.Axis(values=[0, 0.5, 1], format="~g", grid=True)
    y = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(domain=[_Z - 0.02 if below else -0.03, round(tall, 2)], nice=False),
        axis=shown,
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=names, range=[_CURVES[one][0] for one in names]))
    dash = alt.StrokeDash("kind:N", title=None, scale=alt.Scale(domain=names, range=[_CURVES[one][1] for one in names]))
    base = alt.Chart().encode(x=x, y=y)
    lines = base.mark_line(clip=True, strokeWidth=2).encode(color=colour, strokeDash=dash)
    arrows = base.mark_rule(color="var(--dim)", strokeWidth=0.8, opacity=0.7, clip=True).encode(x2="x2:Q", y2="y2:Q")
    heads = (
        alt.Chart()
        .mark_point(shape="circle", size=8, color="var(--dim)", filled=True)
        .encode(x=alt.X("x2:Q", scale=scale), y=alt.Y("y2:Q"))
    )
    layers = [
        arrows.transform_filter("datum.kind == 'arrow'"),
        heads.transform_filter("datum.kind == 'arrow'"),
        lines.transform_filter("datum.kind != 'arrow'"),
    ]
    return finished(alt.layer(*layers), height=_HEIGHT)
