"""What a paper published beside what was measured, on the page of a run: the terminal's own texts."""

from __future__ import annotations

from dataclasses import dataclass

from ganbench.report.figures import SIGNS, Figures
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.published import line_names, notes, published_figures

#: A number and its interval as text.
Texts = tuple[str, str]


@dataclass(frozen=True)
class PublishedTable:
    """The lines by dataset, each with its name and its texts; ``source``: the paper."""

    source: str
    headings: tuple[Figures, ...]
    groups: tuple[tuple[str, tuple[tuple[str, tuple[Texts, ...]], ...]], ...]
    notes: tuple[str, ...]


def published_table(run: ShownRun) -> PublishedTable | None:
    """The table of a run; None where its suite says nothing of what is published."""
    if run.record.published is None:
        return None
    frame = run.published
    names, found = line_names(frame, run.record.columns), published_figures(frame, SIGNS[False])
    lines = [(name, tuple(one.cells[at] for one in found)) for at, name in enumerate(names)]
    groups = {
        dataset: tuple(line for line, own in zip(lines, frame["dataset"], strict=True) if own == dataset)
        for dataset in dict.fromkeys(frame["dataset"])
    }
    return PublishedTable(run.record.published.source, tuple(found), tuple(groups.items()), tuple(notes(frame, names)))
