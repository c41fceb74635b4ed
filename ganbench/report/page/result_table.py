"""The table of a run on its page: the terminal's own texts, with a number behind each by which a row is sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ganbench.plugin.column import Column
from ganbench.report.figures import SIGNS, Figures, figures
from ganbench.report.page.marks import Mark
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.table import notes

#: So many columns are shown at first.
FIRST = 7


@dataclass(frozen=True)
class Heading:
    """The head of a column. ``doc``: what it holds. ``words``: it is of words. ``extra``: not shown at first."""

    title: str
    under: str
    doc: str
    words: bool
    extra: bool


@dataclass(frozen=True)
class TableCell:
    """A number and its interval as text. ``order``: what the column is sorted by; None: last."""

    text: str
    rest: str
    order: float | str | None


@dataclass(frozen=True)
class TableRow:
    """A row; ``mark`` is None for a reference."""

    variant: str
    mark: Mark | None
    cells: tuple[TableCell, ...]


@dataclass(frozen=True)
class TableGroup:
    """The rows of a dataset: what was trained, and the references apart."""

    dataset: str
    trained: tuple[TableRow, ...]
    references: tuple[TableRow, ...]


@dataclass(frozen=True)
class ResultTable:
    """The table of a run, and the notes under it as the terminal has them."""

    headings: tuple[Heading, ...]
    groups: tuple[TableGroup, ...]
    notes: tuple[str, ...]

    @property
    def extra(self) -> int:
        """How many columns are not shown at first."""
        return sum(heading.extra for heading in self.headings)


def result_table(run: ShownRun, marks: Mapping[str, Mark]) -> ResultTable:
    """The table of a run, with the same texts as ``ganbench show`` prints."""
    frame = run.table
    found = figures(frame, run.record.columns, SIGNS[False])
    docs = {column.name: column for column in run.record.columns}
    headings = tuple(
        Heading(one.title, one.under, _doc(one.name, docs), one.words, place >= FIRST)
        for place, one in enumerate(found)
    )
    orders = [_orders(frame, one) for one in found]
    rows = [
        TableRow(
            str(variant),
            None if reference else marks.get(str(variant)),
            tuple(TableCell(*one.cells[at], by[at]) for one, by in zip(found, orders, strict=True)),
        )
        for at, (variant, reference) in enumerate(zip(frame["variant"], frame["reference"], strict=True))
    ]
    groups = []
    for dataset in run.datasets:
        places = [at for at, name in enumerate(frame["dataset"]) if name == dataset]
        apart: dict[bool, list[TableRow]] = {True: [], False: []}
        for at in places:
            apart[bool(frame["reference"].iloc[at])].append(rows[at])
        groups.append(TableGroup(dataset, tuple(apart[False]), tuple(apart[True])))
    said = [line for line, _ in notes(frame, run.record.columns, (), written=run.record.finished)]
    said += [f"{line}: its numbers are missing: {', '.join(cells)}" for line, cells in run.record.failures.items()]
    return ResultTable(headings, tuple(groups), tuple(said))


def _doc(name: str, columns: Mapping[str, Column]) -> str:
    """What a column of the table holds, in a line."""
    if name in columns:
        return columns[name].doc
    for column in columns.values():
        label = column.name.replace("_", " ")
        if name == column.held:
            return f"the step from which {label} was true at five evaluations in a row"
        if name == column.first:
            return f"the step at which {label} was first true"
    return "what became of each seed, judged by rule from its whole curve"


def _orders(frame: pd.DataFrame, one: Figures) -> Sequence[float | str | None]:
    for name in (one.name, f"{one.name}_share"):
        if name in frame and not one.words:
            return [None if pd.isna(value) else float(value) for value in frame[name].astype(object)]
    return [text or None for text, _ in one.cells]
