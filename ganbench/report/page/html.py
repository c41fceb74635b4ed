"""A page as one HTML file: the frame that all pages share, the style, and the scripts with what they draw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.report.page.atlas import packed
from ganbench.report.page.chart import Chart
from ganbench.report.page.library import inline, library, policy
from ganbench.report.page.theme import CONFIG

_TEMPLATES = Path(__file__).parent / "template"
#: The style of the pages, which names the colours of light and dark.
STYLE = _TEMPLATES / "page.css"


def html(
    template: str, content: Mapping[str, Any], charts: Mapping[str, Chart] | None = None, more: Sequence[str] = ()
) -> str:
    """The text of a page.

    Args:
        template: The name of its template, which escapes whatever it is given.
        content: What the template names.
        charts: The charts by their ids on the page; None where it has none, and then no script either.
        more: Scripts beside the one that draws the charts: names of files without their suffix.

    Returns:
        The text, with all that it needs.
    """
    import jinja2

    scripts = {}
    if charts is not None:
        own = {name: (_TEMPLATES / f"{name}.js").read_text(encoding="utf-8") for name in ("page", *more)}
        scripts = {"library": library(), **{name: inline(text) for name, text in own.items()}}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(
        **content,
        style=STYLE.read_text(encoding="utf-8"),
        scripts=scripts,
        policy=policy(scripts.values()),
        charts=packed(json.dumps(_drawn(charts or {}), allow_nan=False).encode()),
    )


def _drawn(charts: Mapping[str, Chart]) -> dict[str, Any]:
    """What the script draws: the specifications, each once, and for each chart which one and its data."""
    specs: list[Any] = []
    placed = {}
    for name, chart in charts.items():
        if chart.spec not in specs:
            specs.append(chart.spec)
        placed[name] = {"spec": specs.index(chart.spec), "data": chart.data}
    return {"config": CONFIG, "specs": specs, "charts": placed}
