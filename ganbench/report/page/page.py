"""The page of one run, or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ganbench.report.page.again import Again, again
from ganbench.report.page.chart import Chart
from ganbench.report.page.html import html
from ganbench.report.page.marks import Mark, marks, outline
from ganbench.report.page.opening import how_told_apart, what_it_says, what_ran, when_and_where
from ganbench.report.page.picture_part import PicturePart, picture_part
from ganbench.report.page.published_table import PublishedTable, published_table
from ganbench.report.page.result_table import ResultTable, result_table
from ganbench.report.page.section import Section, curves, effort, on_the_line, outcomes
from ganbench.report.page.shown_run import ShownRun

#: The sections of pictures, by their name in ``PicturePart``: their ids and what leads to them.
_PICTURED = {
    "walls": ("wall", "Every seed"),
    "best_ds": ("best-d", "D beside the best D"),
    "mode_times": ("mode-times", "Modes by time"),
    "images": ("images", "Samples"),
}


@dataclass(frozen=True)
class RunPart:
    """What a page says of one run. ``id``: what its places on the page begin with."""

    id: str
    run: ShownRun
    ran: str
    where: str
    says: tuple[tuple[str, str], ...]
    told_apart: str
    table: ResultTable
    published: PublishedTable | None
    sections: tuple[Section, ...]
    pictures: PicturePart
    again: Again

    @property
    def placed(self) -> list[tuple[Section, list[tuple[str, list[tuple[str, Chart]]]]]]:
        """The sections, each with its groups by title, and in these the charts by their ids on the page."""
        numbers = count()
        return [
            (
                section,
                [
                    (group.title, [(f"{self.id}-{next(numbers)}", one) for one in group.charts])
                    for group in section.groups
                ],
            )
            for section in self.sections
        ]

    @property
    def charts(self) -> dict[str, Chart]:
        """All charts of the run, by their ids on the page."""
        return {name: one for _, groups in self.placed for _, charts in groups for name, one in charts}


def page(runs: Sequence[ShownRun]) -> str:
    """The page of these runs as HTML, with all that it needs."""
    known = marks(run.record for run in runs)
    return render([_part(run, f"r{place}", known) for place, run in enumerate(runs)], known)


def _part(run: ShownRun, name: str, known: Mapping[str, Mark]) -> RunPart:
    says, pictures = what_it_says(run), picture_part(run, known)
    return RunPart(
        id=name,
        run=run,
        ran=what_ran(run),
        where=when_and_where(run),
        says=tuple(says),
        told_apart=how_told_apart(run) if any("apart" in text for _, text in says) else "",
        table=result_table(run, known),
        published=published_table(run),
        sections=(outcomes(run, known), curves(run, known), on_the_line(pictures.figures), effort(run, known)),
        pictures=pictures,
        again=again(run),
    )


def render(parts: Sequence[RunPart], known: Mapping[str, Mark]) -> str:
    """The text of a page."""
    steps = sorted({step for part in parts for step in part.pictures.steps})
    content = {
        "title": " and ".join(dict.fromkeys(part.run.suite for part in parts)),
        "parts": parts,
        "marks": list(known.values()),
        "outline": outline,
        "steps": steps,
        "shown": lambda place: _there(parts, place),
        "links": _links(parts),
    }
    charts = {name: chart for part in parts for name, chart in part.charts.items()}
    return html("page.html", content, charts, more=["pictures"] if steps else [])


def _there(parts: Sequence[RunPart], place: int) -> bool:
    """Whether a section has anything to show, of any run."""
    return any(part.sections[place].groups or part.sections[place].missing for part in parts)


def _links(parts: Sequence[RunPart]) -> list[tuple[str, str]]:
    """The sections in their order on the page, by id and title."""
    found = []
    for place, section in enumerate(parts[0].sections):
        if _there(parts, place):
            found.append((section.id, section.title))
        after = {"seeds": ("walls", "best_ds"), "curves": ("mode_times", "images")}.get(section.id, ())
        found += [_PICTURED[name] for name in after if any(getattr(part.pictures, name) for part in parts)]
    return found
