"""The parts of a page: sections of groups of charts, each group under its heading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ganbench.plugin.column import Column, find
from ganbench.report.page.chart import Chart
from ganbench.report.page.curve import curve, shown_columns
from ganbench.report.page.expense import expense
from ganbench.report.page.interval_plot import interval_plot
from ganbench.report.page.marks import Mark
from ganbench.report.page.profile import best_of_k, profile
from ganbench.report.page.reaching import reaching
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.verdict_bars import verdict_bars

Marks = Mapping[str, Mark]


@dataclass(frozen=True)
class ChartGroup:
    """Charts that belong together, such as those of a dataset; the title is empty where one is not needed."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Section:
    """A part of a page. ``missing``: what it lacks, and why; empty where it is whole."""

    id: str
    title: str
    lead: str
    groups: tuple[ChartGroup, ...]
    missing: str = ""

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts of the section."""
        return tuple(chart for group in self.groups for chart in group.charts)


def outcomes(run: ShownRun, marks: Marks) -> Section:
    """What became of the seeds, and how far the variants are apart."""
    judged = [one for one in (run.main, find(run.record.columns, "covered")) if one is not None and one.sided]
    groups = [
        (dataset, [verdict_bars(run, dataset), *(interval_plot(run, dataset, one, dict(marks)) for one in judged)])
        for dataset in run.datasets
    ]
    return Section("seeds", "What became of the seeds", "", _groups(groups, run.datasets))


def curves(run: ShownRun, marks: Marks) -> Section:
    """Each number over the steps."""
    columns = shown_columns(run)
    groups = [(dataset, [curve(run, dataset, column, marks) for column in columns]) for dataset in run.datasets]
    lead = (
        "Thick: the median over seeds, with its exact 95 % interval as a band. Thin: each seed. A seed that diverged "
        "counts as the worst from then on."
    )
    missing = "" if columns else "No number was measured at two steps or more."
    return Section("curves", "While training", lead, _groups(groups, run.datasets), missing)


def on_the_line(figures: Sequence[tuple[str, Sequence[Chart]]]) -> Section:
    """Figure 1 of the GAN paper for each dataset on the line; ``figures``: charts by dataset."""
    lead = (
        "Figure 1 of the GAN paper from this run, at four moments of the median seed. Dotted: the data's density p; "
        "green and solid: the generator's, q; blue and dashed: D; orange, dash and dot: the best D = p / (p + q). The "
        "lines below lead from z to G(z)."
    )
    groups = tuple(ChartGroup(dataset if len(figures) > 1 else "", tuple(charts)) for dataset, charts in figures)
    return Section("figure", "The game on the line", lead, groups)


def effort(run: ShownRun, marks: Marks) -> Section:
    """What it takes: steps until something is held, how often a value is reached, tries, and the cost of a step."""
    shares = [column for column in run.record.columns if column.summary == "share"]
    groups: list[tuple[str, Sequence[Chart | None]]] = [
        (dataset, [*(reaching(run, dataset, one, marks) for one in shares), best_of_k(run, dataset, marks)])
        for dataset in run.datasets
    ]
    if len(run.datasets) == 1:
        groups = [(run.datasets[0], [*groups[0][1], profile(run, marks)])]
    else:
        groups.append(("All datasets", [profile(run, marks)]))
    costs = [one for one in run.record.columns if _costs(one)]
    groups.append(("Cost of a step", [expense(run, one, marks) for one in costs]))
    return Section("effort", "What it takes", "", _groups(groups, run.datasets))


def _costs(column: Column) -> bool:
    return column.role in ("clock", "count", "memory")


def _groups(groups: Iterable[tuple[str, Sequence[Chart | None]]], datasets: Sequence[str]) -> tuple[ChartGroup, ...]:
    """The groups that have charts; where there is one dataset its name is no heading."""
    found = []
    for title, charts in groups:
        if there := tuple(chart for chart in charts if chart is not None):
            found.append(ChartGroup("" if datasets == [title] else title, there))
    return tuple(found)
