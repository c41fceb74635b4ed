"""A run as its run.json and journal describe it, cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ganbench.core.published import Published
from ganbench.core.shard import Shard
from ganbench.data.phases import first_step
from ganbench.plugin.column import Column, OlderFormatError, check_columns
from ganbench.record import journal
from ganbench.record.cell_record import CellRecord, check_planned
from ganbench.record.clocks import devices, leave_out_clocks, no_clocks
from ganbench.record.events import (
    Event,
    RunFinished,
    failed_metric,
)
from ganbench.record.folder import OLDER, RunFolder
from ganbench.record.run_json import check_run
from ganbench.record.tasks import Tasks


@dataclass(frozen=True)
class Record:
    """A run: the columns its metrics fill and its cells, in the order planned.

    ``shard``: which part of a run it is, that would have so many ``rows``; None where it is a whole run.
    ``published``: what a paper gives of its rows; None where the suite says nothing of that. ``unknown``: the kinds of
    events in its journal that this ganbench does not know.
    """

    name: str
    columns: tuple[Column, ...]
    cells: tuple[CellRecord, ...]
    finished: bool
    shard: Shard | None = None
    rows: int = 0
    published: Published | None = None
    unknown: tuple[str, ...] = ()

    @property
    def swept(self) -> bool:
        """Whether a variant was run in several settings."""
        return len({(cell.dataset, cell.family) for cell in self.cells}) < len(self.cells)

    @property
    def about(self) -> tuple[str, ...]:
        """A line for each thing to know before the numbers: that it is a shard, that its devices differ."""
        kinds, found = devices(self.cells), []
        if self.shard is not None:
            found.append(f"{self.shard}: {len(self.cells)} of the {self.rows} rows; ganbench merge joins the shards")
        if self.unknown:
            found.append(
                f"a newer ganbench wrote its journal: what it says in {', '.join(map(repr, self.unknown))} is left out"
            )
        if why := no_clocks(kinds):
            found.append(f"{why}: {'; '.join(kinds)}")
        elif disturbed := Counter(cell.disturbed for cell in self.cells if cell.disturbed and cell.engine):
            found += [f"no clocks for {_rows(count)}: {why}" for why, count in disturbed.items()]
        return tuple(found)

    @property
    def failures(self) -> dict[str, list[str]]:
        """The first line of each metric that failed, with the cells that it failed on, as ``dataset variant``."""
        first: dict[str, str] = {}
        cells: dict[str, list[str]] = {}
        for cell in self.cells:
            for line in cell.failed_metrics:
                first.setdefault(failed_metric(line), line)
                cells.setdefault(failed_metric(line), []).append(f"{cell.dataset} {cell.variant}")
        return {line: cells[metric] for metric, line in first.items()}

    @classmethod
    def read(cls, folder: RunFolder) -> Record:
        """The record of a run on disk, finished or not.

        Raises ValueError, in one line, where the run is damaged or was made by an older ganbench.
        """
        run, events = _on_disk(folder)
        try:
            record = cls.replay(run, events)
            check_run(run)
            return replace(record, unknown=journal.unknown(folder.journal))
        except KeyError as error:
            raise ValueError(f"{folder.path}: its run.json has no {error}: {OLDER}") from error
        except ValueError as error:
            raise ValueError(f"{folder.path}: {error}") from None
        except (AttributeError, LookupError, TypeError) as error:
            raise ValueError(f"{folder.path}: its run.json is damaged: {error!r}") from error

    @classmethod
    def replay(cls, run: Mapping[str, Any], events: Iterable[Event]) -> Record:
        """The record that follows from the plan in ``run`` (the content of run.json) and the events.

        A later event replaces an earlier one about the same. Raises ValueError where an event names a cell, a seed or a
        column that is not in the plan, and KeyError where the plan lacks a key that this ganbench writes.
        """
        try:
            columns = tuple(map(Column.from_json, run["columns"]))
        except OlderFormatError as problem:
            raise ValueError(f"{problem}: run it again") from None
        check_columns(columns)
        for one in run["cells"]:
            for name in ("id", "dataset", "variant", "family"):
                if not isinstance(one[name], str):
                    raise ValueError(f"the {name} of a cell must be text, not {one[name]!r}")
        cells = {
            one["id"]: CellRecord(
                id=one["id"],
                dataset=one["dataset"],
                variant=one["variant"],
                seeds=tuple(one["seeds"]),
                steps=one["steps"],
                reference=one["reference"],
                family=one["family"],
                precision=one["precision"],
                every=one.get("every", 0),
                expect=one.get("expect"),
                turn=_turn(run, one["dataset"], one["steps"]),
            )
            for one in run["cells"]
        }
        named = {column.name: column for column in columns}
        finished = False
        for event in events:
            if isinstance(event, RunFinished):
                finished = True
            else:
                check_planned("cell", {event.cell}, cells.keys())
                cells[event.cell].add(event, named)
        found = tuple(cells.values())
        leave_out_clocks(found, columns)
        beside = Published.read(run["published"]) if run.get("published") else None
        return cls(run["run"], columns, found, finished, Shard.of_run(run), _planned_rows(run), beside)


def _planned_rows(run: Mapping[str, Any]) -> int:
    """How many rows the run has, or that which it is a shard of; a task of a run does not repeat their names."""
    return int(run.get("rows") or len(run.get("plan", run["cells"])))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _turn(run: Mapping[str, Any], dataset: str, steps: int) -> int:
    """The step at which data change for the last time, by what run.json says of them; 0 where they do not."""
    # Older runs say it with the data's fingerprint alone.
    shares = run.get("phases", {}).get(dataset) or run.get("data", {}).get(dataset, {}).get("phases")
    return first_step(shares[-1], steps) if shares else 0


def _on_disk(folder: RunFolder) -> tuple[Mapping[str, Any], list[Event]]:
    """A run's run.json and its events, with those of tasks that are not merged yet."""
    tasks = Tasks(folder)
    while True:
        # Asked first: a run that is merged between the two is then read as it was left, and not as one without events.
        apart = tasks.there
        run, events = folder.describe(), journal.read(folder.journal)
        if not apart or RunFinished() in events:
            return run, events
        try:
            events += tasks.events()
        except (OSError, ValueError):
            if tasks.there:
                raise
        if tasks.there:
            return run, events
