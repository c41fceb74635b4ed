"""The history of a suite as an SVG image: a panel for each series, made of plain shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ganbench.compare.history.history import MeasuredRun
from ganbench.compare.history.prediction import expected
from ganbench.compare.history.series import Observation, Series
from ganbench.report.history import change, day, form_of, note, title_of
from ganbench.stats.change_points import Shift

_WIDTH, _PANEL, _PLOT = 860, 230, 140
_LEFT, _RIGHT, _TOP = 76, 24, 46
_INK, _FAINT, _GRID = "#24292f", "#8c959f", "#e4e8ec"
_LINE, _BASELINE, _SHIFT, _BAND = "#0969da", "#8250df", "#cf222e", "#ddf4ff"
#: Characters that XML does not allow at all.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LABEL = 74


def plot(points: Sequence[MeasuredRun], found: Sequence[Series], suite: str) -> str:
    """The series as the text of an SVG file.

    Points with their intervals, a line through those that can be compared with the newest, a band where the next is
    expected, and a bar at each shift with its size and its commit. All points have the same distance, whatever the time
    between them.

    Args:
        points: The runs of the history, oldest first.
        found: The series over these runs.
        suite: The suite's name, for the title.

    Returns:
        The text, which ends with a line's end.
    """
    height = 44 + _PANEL * max(1, len(found))
    size = {"width": str(_WIDTH), "height": str(height), "viewBox": f"0 0 {_WIDTH} {height}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": "system-ui, sans-serif"})
    _add(root, "title", f"The history of {suite}")
    _add(root, "rect", width=_WIDTH, height=height, fill="#ffffff")
    _add(root, "text", f"The history of {suite}", x=_LEFT, y=28, font_size=17, font_weight="bold", fill=_INK)
    for index, one in enumerate(found):
        panel = _add(root, "g", transform=f"translate(0 {44 + _PANEL * index})")
        _panel(panel, points, one)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


@dataclass(frozen=True)
class _Scale:
    """Maps a place in the series, and a value, to a point on the panel."""

    count: int
    low: float
    high: float

    def x(self, place: float) -> float:
        room = _WIDTH - _LEFT - _RIGHT - 24
        return round(_LEFT + 12 + room * (place / (self.count - 1) if self.count > 1 else 0.5), 1)

    def y(self, value: float) -> float:
        # An infinite value is drawn at the edge.
        inside = min(max(value, self.low), self.high)
        return round(_TOP + _PLOT * (1 - (inside - self.low) / (self.high - self.low)), 1)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers, evenly spaced, that cover a range.

    Args:
        low: The lower end of the range; the first tick is at most this.
        high: The upper end; the last tick is at least this.
        most: About how many ticks.

    Returns:
        The ticks, ascending.
    """
    span = high - low
    if span <= 0 or not math.isfinite(span):
        span = abs(low) or 1.0
        low, high = low - span / 2, high + span / 2
    raw = span / (most - 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 12 - math.floor(math.log10(step))) for place in range(first, last + 1)]


def _panel(panel: Element, points: Sequence[MeasuredRun], one: Series) -> None:
    numbers = [
        number for one_ in one.observations for number in (one_.value, one_.low, one_.high) if number is not None
    ]
    band = expected(one)
    finite = [number for number in (*numbers, *(band or ())) if math.isfinite(number)] or [0.0]
    marks = ticks(min(finite), max(finite))
    scale = _Scale(len(one.observations), marks[0], marks[-1])
    _add(panel, "text", f"{one.case}: {title_of(one)}", x=_LEFT, y=20, font_size=14, fill=_INK, font_weight="bold")
    if band is not None:
        top, bottom = scale.y(band[1]), scale.y(band[0])
        rect = _add(
            panel, "rect", x=_LEFT, y=top, width=_WIDTH - _LEFT - _RIGHT, height=max(bottom - top, 1), fill=_BAND
        )
        form = form_of(one)
        _add(rect, "title", f"the next should read {form(band[0])} to {form(band[1])}")
    for mark in marks:
        y = scale.y(mark)
        _add(panel, "line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, stroke=_GRID)
        _add(panel, "text", f"{mark:g}", x=_LEFT - 8, y=y + 4, font_size=11, fill=_FAINT, text_anchor="end")
    _dates(panel, points, one, scale)
    for shift in one.shifts():
        _mark(panel, points, one, shift, scale)
    joined = [(place, observation) for place, observation in enumerate(one.observations) if not observation.reason]
    way = " ".join(f"{scale.x(place)},{scale.y(observation.value)}" for place, observation in joined)
    _add(panel, "polyline", points=way, fill="none", stroke=_LINE, stroke_width=1.2, opacity=0.55)
    for place, observation in enumerate(one.observations):
        _dot(panel, points[observation.at], observation, one, scale, place)


def _dates(panel: Element, points: Sequence[MeasuredRun], one: Series, scale: _Scale) -> None:
    """The axis of time: as many days as there is room for, each at its first point."""
    bottom, free = _TOP + _PLOT, -math.inf
    _add(panel, "line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=bottom, y2=bottom, stroke=_FAINT)
    previous = ""
    for place, observation in enumerate(one.observations):
        x, date = scale.x(place), day(points[observation.at].when)
        _add(panel, "line", x1=x, x2=x, y1=bottom, y2=bottom + 4, stroke=_FAINT)
        if date != previous and x >= free:
            _add(panel, "text", date, x=x, y=bottom + 18, font_size=11, fill=_FAINT, text_anchor="middle")
            previous, free = date, x + _LABEL


def _mark(panel: Element, points: Sequence[MeasuredRun], one: Series, shift: Shift, scale: _Scale) -> None:
    """A bar between two points, with the change of the level and the commit of the second."""
    x = scale.x(shift.place - 0.5)
    commit = points[one.observations[shift.place].at].commit[:10]
    text = " ".join(filter(None, (change(one, shift.before, shift.after), commit)))
    _add(panel, "line", x1=x, x2=x, y1=_TOP - 4, y2=_TOP + _PLOT, stroke=_SHIFT, stroke_dasharray="4 3")
    anchor = "end" if x > _WIDTH - 160 else "start"
    _add(
        panel,
        "text",
        text,
        x=x + (-5 if anchor == "end" else 5),
        y=_TOP - 8,
        font_size=11,
        fill=_SHIFT,
        text_anchor=anchor,
    )


def _dot(panel: Element, point: MeasuredRun, observation: Observation, one: Series, scale: _Scale, place: int) -> None:
    x, y, form = scale.x(place), scale.y(observation.value), form_of(one)
    colour = _FAINT if observation.reason else _BASELINE if point.source == "baseline" else _LINE
    dot = _add(panel, "g", stroke=colour, fill="#ffffff" if not observation.counts else colour)
    ends = [observation.value if end is None else end for end in (observation.low, observation.high)]
    _add(dot, "line", x1=x, x2=x, y1=scale.y(ends[0]), y2=scale.y(ends[1]), stroke_width=1.5, opacity=0.6)
    if point.source == "baseline":
        _add(dot, "rect", x=x - 3.5, y=y - 3.5, width=7, height=7)
    else:
        _add(dot, "circle", cx=x, cy=y, r=3.5)
    if math.isinf(observation.value):
        _add(panel, "text", "inf", x=x, y=y - 7, font_size=10, fill=colour, text_anchor="middle")
    lines = [f"{point.when:%Y-%m-%d %H:%M}", f"{point.source} {point.name}", point.commit[:10], form(observation.value)]
    _add(dot, "title", "\n".join(filter(None, [*lines, note(observation), point.reason])))


def _add(parent: Element, tag: str, text: str = "", **attributes: str | float) -> Element:
    named = {name.replace("_", "-"): _clean(str(value)) for name, value in attributes.items()}
    element = SubElement(parent, tag, named)
    element.text = _clean(text) or None
    return element


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
