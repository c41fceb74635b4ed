"""The charts of a run as files for a paper: SVG, PDF and PNG, each with its caption."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.core.disk import make_folder
from ganbench.report.page.chart import DATA, Chart
from ganbench.report.page.html import STYLE
from ganbench.report.page.marks import marks
from ganbench.report.page.picture_part import picture_part
from ganbench.report.page.section import curves, effort, on_the_line, outcomes
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.theme import CONFIG

_WIDTH, _ZOOM = 380, 3


def write_figures(run: ShownRun, folder: Path) -> list[Path]:
    """Write each chart of a run as NAME.svg, NAME.pdf and NAME.png, and its caption as NAME.txt.

    Returns the SVG files. Raises OSError where the folder cannot be written.
    """
    import vl_convert

    make_folder(folder)
    known, written = marks([run.record]), []
    pictures = picture_part(run, known)
    sections = (outcomes(run, known), curves(run, known), on_the_line(pictures.figures), effort(run, known))
    charts = [chart for section in sections for chart in section.charts]
    for name, chart in zip(_names(charts), charts, strict=True):
        svg = vl_convert.vegalite_to_svg(printed(chart))
        files: Mapping[str, str | bytes] = {
            "svg": svg,
            "pdf": vl_convert.svg_to_pdf(svg),
            "png": vl_convert.svg_to_png(svg, scale=_ZOOM),
            "txt": caption(run, chart),
        }
        for suffix, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / f"{name}.{suffix}").write_bytes(data)
        written.append(folder / f"{name}.svg")
    return written


def caption(run: ShownRun, chart: Chart) -> str:
    """The caption of a chart: what it shows, how its intervals are made, of which suite, seeds and run it is."""
    trained = [len(cell.seeds) for cell in run.record.cells if not cell.reference]
    seeds = " to ".join(map(str, dict.fromkeys([min(trained), max(trained)]))) if trained else "no"
    unfinished = "" if run.record.finished else " The run had not finished."
    return (
        f"{chart.title}: {chart.subtitle}. {chart.caption} Suite {run.suite}, {seeds} seeds of each variant, run "
        f"{run.record.name}.{unfinished}\n"
    )


def printed(chart: Chart) -> dict[str, Any]:
    """The specification of a chart with its data, a legend and the colours of a light page."""
    paints = dict(re.findall(r"(--[\w-]+): (#\w+)", STYLE.read_text(encoding="utf-8").partition("@media")[0]))
    names = list(chart.data)
    rows = [dict(zip(names, one, strict=True)) for one in zip(*chart.data.values(), strict=True)]
    legend = {"orient": "bottom", "columns": 3, "symbolStrokeWidth": 2, "symbolOpacity": 1, "labelLimit": 240}
    config = CONFIG | {"background": "white", "autosize": {"type": "pad"}, "legend": legend}
    spec = {**chart.spec, "width": _WIDTH, "data": {"name": DATA, "values": rows}, "config": config}
    text = re.sub(r"var\((--[\w-]+)\)", lambda found: paints[found[1]], json.dumps(spec))
    found: dict[str, Any] = json.loads(text)
    return found


def _names(charts: Sequence[Chart]) -> Iterator[str]:
    """A name for each chart that any system takes for a file."""
    taken: set[str] = set()
    for chart in charts:
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", chart.name).strip("-.")[:100] or "chart"
        name, again = plain, 1
        while name.lower() in taken:
            again += 1
            name = f"{plain}-{again}"
        taken.add(name.lower())
        yield name
