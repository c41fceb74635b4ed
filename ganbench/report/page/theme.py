"""How charts look: a configuration of Vega-Lite. Colours are names of the page's style, which has a dark mode."""

from __future__ import annotations

from typing import Any

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": _FONT,
    "padding": {"left": 2, "right": 8, "top": 6, "bottom": 2},
    "autosize": {"type": "fit-x", "contains": "padding"},
    "view": {"stroke": None},
    "legend": {"disable": True},
    "axis": {
        "labelColor": "var(--dim)",
        "titleColor": "var(--dim)",
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 11.5,
        "gridColor": "var(--grid)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
        "tickSize": 4,
        "labelPadding": 5,
    },
    "axisYQuantitative": {"domain": False, "ticks": False},
    "axisYBand": {"labelColor": "var(--ink)", "labelFontSize": 12.5},
    "axisYPoint": {"labelColor": "var(--ink)", "labelFontSize": 12.5},
    "axisXQuantitative": {"grid": False},
    "text": {"font": _FONT},
}
