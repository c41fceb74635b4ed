"""The charts of a run as files for a paper: SVG, PDF and PNG, each with its caption."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.core.disk import make_folder
from ganbench.core.messages import suggest
from ganbench.report.page.chart import Chart
from ganbench.report.page.html import STYLE
from ganbench.report.page.marks import marks
from ganbench.report.page.picture_part import picture_part
from ganbench.report.page.section import curves, effort, on_the_line, outcomes
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.theme import CONFIG

_WIDTH, _ZOOM = 380, 3
#: The width of a chart that stands in a row of several.
_NARROW = 210


def write_figures(run: ShownRun, folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Write each chart of a run as NAME.svg, NAME.pdf and NAME.png, and its caption as NAME.txt.

    The moments of figure 1 of the GAN paper are one file, as they are there.

    Args:
        run: The run.
        folder: Where they go.
        only: The names of those that are written; all if empty.

    Returns:
        The SVG files.

    Raises:
        ValueError: The run has no chart of such a name.
        OSError: The folder cannot be written.
    """
    import vl_convert

    known, written = marks([run.record]), []
    pictures = picture_part(run, known)
    sections = (outcomes(run, known), curves(run, known), on_the_line(pictures.figures), effort(run, known))
    figures = _figures(chart for section in sections for chart in section.charts)
    named = dict(zip(_names(figures), figures.values(), strict=True))
    for name in only:
        if name not in named:
            raise ValueError(f"{name}: no such chart{suggest(name, named)}")
    make_folder(folder)
    for name, charts in named.items():
        if only and name not in only:
            continue
        svg = vl_convert.vegalite_to_svg(printed(charts))
        files: Mapping[str, str | bytes] = {
            "svg": svg,
            "pdf": vl_convert.svg_to_pdf(svg),
            "png": vl_convert.svg_to_png(svg, scale=_ZOOM),
            "txt": caption(run, charts),
        }
        for suffix, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / f"{name}.{suffix}").write_bytes(data)
        written.append(folder / f"{name}.svg")
    return written


def _figures(charts: Iterable[Chart]) -> Mapping[str, list[Chart]]:
    """The charts of each file, by its name; two charts of the same name are two files."""
    found: dict[str, list[Chart]] = {}
    for chart in charts:
        name, again = chart.row or chart.name, 1
        while not chart.row and name in found:
            again += 1
            name = f"{chart.name}-{again}"
        found.setdefault(name, []).append(chart)
    return found


def caption(run: ShownRun, charts: Sequence[Chart]) -> str:
    """The caption of a figure: what it shows, how its intervals are made, of which suite, seeds and run it is."""
    trained = [len(cell.seeds) for cell in run.record.cells if not cell.reference]
    seeds = " to ".join(map(str, dict.fromkeys([min(trained), max(trained)]))) if trained else "no"
    unfinished = "" if run.record.finished else " The run had not finished."
    titles = "; ".join(chart.title for chart in charts)
    return (
        f"{titles}: {charts[0].subtitle}. {charts[-1].caption} Suite {run.suite}, {seeds} seeds of each variant, run "
        f"{run.record.name}.{unfinished}\n"
    )


def printed(charts: Sequence[Chart]) -> dict[str, Any]:
    """The specification of charts, side by side, with their data, a legend and the colours of a light page."""
    paints = dict(re.findall(r"(--[\w-]+): (#\w+)", STYLE.read_text(encoding="utf-8").partition("@media")[0]))
    legend = {"orient": "bottom", "columns": 3, "symbolStrokeWidth": 2, "symbolOpacity": 1, "labelLimit": 240}
    config = CONFIG | {"background": "white", "autosize": {"type": "pad"}, "legend": legend}
    panels = [_panel(chart, _WIDTH if len(charts) == 1 else _NARROW) for chart in charts]
    (spec, *more) = panels
    if more:
        # Parameters are of the whole figure, and so is the legend.
        params = spec["params"]
        titled = [
            {name: value for name, value in panel.items() if name != "params"} | {"title": chart.title}
            for panel, chart in zip(panels, charts, strict=True)
        ]
        scales = {"color": "shared", "strokeDash": "shared"}
        spec = {"hconcat": titled, "params": params, "resolve": {"scale": scales}}
        config |= {"legend": legend | {"columns": 4}, "title": {"fontWeight": "normal", "fontSize": 13}}
    text = re.sub(r"var\((--[\w-]+)\)", lambda found: paints[found[1]], json.dumps(spec | {"config": config}))
    found: dict[str, Any] = json.loads(text)
    return found


def _panel(chart: Chart, width: int) -> dict[str, Any]:
    names = list(chart.data)
    rows = [dict(zip(names, one, strict=True)) for one in zip(*chart.data.values(), strict=True)]
    return {**chart.spec, "width": width, "data": {"values": rows}}


def _names(figures: Iterable[str]) -> Iterator[str]:
    """A name for each figure that any system takes for a file."""
    taken: set[str] = set()
    for figure in figures:
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", figure).strip("-.")[:100] or "chart"
        name, again = plain, 1
        while name.lower() in taken:
            again += 1
            name = f"{plain}-{again}"
        taken.add(name.lower())
        yield name
