"""The page of a suite's history: what has shifted, and a chart of each number from run to run."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.compare.history.history import MeasuredRun
from ganbench.compare.history.series import Series
from ganbench.report.history import day, remarks, title_of
from ganbench.report.page.history_chart import history_chart
from ganbench.report.page.html import html
from ganbench.report.sentences import plural


def history_page(suite: str, points: Sequence[MeasuredRun], found: Sequence[Series], notes: Sequence[str]) -> str:
    """The page as HTML, with all that it needs.

    Args:
        suite: The suite's name.
        points: The runs of the history, oldest first.
        found: The series over these runs.
        notes: Lines that the reader should know.

    Returns:
        The text.
    """
    # The measure is in each title only where there are several.
    one_measure = len({one.measure for one in found}) == 1
    groups: dict[str, list[tuple[str, Series]]] = {}
    for place, one in enumerate(found):
        groups.setdefault(one.dataset if one_measure else one.case, []).append((f"h{place}", one))
    placed = {
        title: [(name, history_chart(points, one, one.variant if one_measure else title_of(one))) for name, one in some]
        for title, some in groups.items()
    }
    content = {
        "title": suite,
        "ran": _ran(points),
        "measure": title_of(found[0]) if one_measure else "",
        "shifts": [
            (one.case, title_of(one), line)
            for one in found
            for line in remarks(points, one)
            if line.startswith("shift")
        ],
        "notes": notes,
        "groups": placed,
    }
    return html("history.html", content, {name: chart for some in placed.values() for name, chart in some})


def _ran(points: Sequence[MeasuredRun]) -> str:
    """The runs in a sentence: ``12 runs and 3 baselines, 2026-10-01 to 2026-11-29``."""
    baselines = sum(point.source == "baseline" for point in points)
    counts = [(len(points) - baselines, "run"), (baselines, "baseline")]
    days = dict.fromkeys([day(points[0].when), day(points[-1].when)])
    return " and ".join(plural(count, what) for count, what in counts if count) + ", " + " to ".join(days)
