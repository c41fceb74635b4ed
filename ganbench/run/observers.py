"""Who is told of a run: what a person looks at, and the observers that its suite names, which cannot harm it.

An observer gets an event after the journal has it. Where it fails, the run goes on: the first failure is said, and how
many there were. What an earlier attempt at the run had measured is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import pandas as pd

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.plugin.observed import ObservedCell, ObservedRow, ObserverMethods, unchanged_process
from ganbench.record.cell_record import CellRecord
from ganbench.record.events import CellEnded, CellEvent, CellMeasured, CellStarted, Evaluated, Pictured
from ganbench.record.picture_arrays import DamagedPictureError
from ganbench.record.picture_image import as_image
from ganbench.record.pictures import read_picture
from ganbench.record.record import Record
from ganbench.record.tables.so_far import so_far
from ganbench.run.observer import CellNoted, CellProgressed, PlannedCell, RunObserver, TaskCounts
from ganbench.suite.choice import Choice
from ganbench.suite.plan import Cell
from ganbench.suite.suite import Suite

Given = Mapping[str, Any]


class Observers(RunObserver):
    """The observer of a run that a person looks at, and those that the suite names.

    ``watching`` is open already: this closes the others alone.
    """

    def __init__(self, watching: RunObserver, suite: Suite, cells: Sequence[Cell], run: Path) -> None:
        self._watching, self._suite, self._run = watching, suite, run
        self._plans = {cell.id: _observed(cell) for cell in cells}
        self._working = [_Working(choice, watching.note) for choice in suite.observers]
        self._cells: dict[str, CellRecord] = {}
        self._columns: Record | None = None
        self._sent: set[tuple[str, type, int]] = set()
        self._finished = False

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """Tell who looks at the run; start the suite's observers."""
        self._watching.started(cells, record)
        if not self._working:
            return
        self._columns = record
        # What is added here is not added to the record, with which the run decides from where to go on.
        for cell in record.cells:
            self._cells[cell.id] = replace(
                cell,
                evaluations={**cell.evaluations},
                outcomes={**cell.outcomes},
                pictures={**cell.pictures},
            )
            self._sent |= {(cell.id, Evaluated, step) for step in cell.evaluations}
            self._sent |= {(cell.id, Pictured, step) for step in cell.pictures}
        earlier = sum(kind is Evaluated for _, kind, _ in self._sent)
        if earlier:
            what = "1 evaluation" if earlier == 1 else f"{earlier} evaluations"
            self._watching.note(f"{what} of an earlier attempt: observers are not sent them again")
        given = {"suite": self._suite.resolved(), "cells": (*self._plans.values(),), "run": self._run}
        for one in self._working:
            one.start(given | {"resumed": bool(earlier)})

    def tell(self, event: CellEvent | CellNoted | CellProgressed) -> None:
        """Tell everybody; an observer of the suite gets what it has a method for."""
        if self._working and not isinstance(event, CellNoted | CellProgressed):
            self._tell_plugins(event)
        # The last: where this fails, the run ends, and what the journal has is not sent again when it goes on.
        self._watching.tell(event)

    def _tell_plugins(self, event: CellEvent) -> None:
        assert self._columns is not None
        self._cells[event.cell].add(event, {column.name: column for column in self._columns.columns})
        if (event.cell, type(event), getattr(event, "step", -1)) not in self._sent:
            for what, given in self._given(event):
                for one in self._working:
                    one.call(what, given)

    def finished(self, table: pd.DataFrame) -> None:
        """Tell everybody that the tables are written."""
        self._watching.finished(table)
        self._finished = True
        for one in self._working:
            one.call("run_ended", {"table": table.copy()})

    def note(self, line: str) -> None:
        """Tell who looks at the run."""
        self._watching.note(line)

    def counted(self, tasks: TaskCounts) -> None:
        """Tell who looks at the run."""
        self._watching.counted(tasks)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for one in self._working:
            one.call("closed", {"finished": self._finished})
            one.sum_up()

    def _given(self, event: CellEvent) -> Iterator[tuple[str, Given]]:
        """Which method an event is for, and what it may name."""
        cell, known = self._plans[event.cell], self._cells[event.cell]
        match event:
            case CellStarted():
                yield "cell_started", {"cell": cell}
            case Evaluated(_, step, rows):
                told = tuple(ObservedRow(row.seed, str(row.status), MappingProxyType(row.values)) for row in rows)
                yield "evaluated", {"cell": cell, "step": step, "rows": told, "summary": self._summary(known)}
            case Pictured(_, step) if any("pictured" in one.events for one in self._working):
                image = None
                try:
                    image = as_image(read_picture(self._run / "pictures", known, step))
                except (DamagedPictureError, OSError) as error:
                    self._watching.tell(CellNoted(event.cell, f"observers get no picture of step {step}: it {error}"))
                if image is not None:
                    image.setflags(write=False)
                    yield "pictured", {"cell": cell, "step": step, "image": image}
            case CellEnded(_, seeds):
                last = {seed: max(history.items()) for seed in known.seeds if (history := known.history(seed))}
                ended = tuple(
                    ObservedRow(one.seed, str(one.status), MappingProxyType(last[one.seed][1].values))
                    for one in seeds
                    if one.seed in last
                )
                yield "cell_ended", {"cell": cell, "rows": ended, "summary": self._summary(known)}
            case CellMeasured():
                pass  # it is in the summary of each evaluation after it

    def _summary(self, cell: CellRecord) -> Given:
        assert self._columns is not None
        return MappingProxyType({name: tuple(one) for name, one in so_far(cell, self._columns.columns).items()})


class _Working:
    """One observer of a suite, at work: its errors are told and counted, not raised."""

    def __init__(self, choice: Choice, tell: Callable[[str], None]) -> None:
        self._choice, self._tell = choice, tell
        self._methods: ObserverMethods | None = None
        self._failures = 0

    @property
    def events(self) -> tuple[str, ...]:
        return self._methods.events if self._methods else ()

    def start(self, given: Given) -> None:
        try:
            with unchanged_process(self._choice.name):
                self._methods = ObserverMethods(self._choice.build(**given))
        except BaseException as error:
            raise_if_stopped(error)
            self._tell(
                f"observer {self._choice.name!r} could not start: {error_line(error)}; the run goes on without it"
            )

    def call(self, event: str, given: Given) -> None:
        if self._methods is None:
            return
        try:
            with unchanged_process(self._choice.name):
                self._methods.call(event, given)
        except BaseException as error:
            raise_if_stopped(error)
            self._failures += 1
            if self._failures == 1:
                what = f"observer {self._choice.name!r} failed at {event}: {error_line(error)}"
                self._tell(f"{what}; the run goes on, and what it shows may lack something")

    def sum_up(self) -> None:
        if self._failures > 1:
            self._tell(f"observer {self._choice.name!r} failed {self._failures} times in all")


def _observed(cell: Cell) -> ObservedCell:
    row = {"reference": cell.reference.plain()} if cell.reference else cell.trained.plain() if cell.trained else {}
    budget = {"steps": cell.steps, "batch": cell.batch} if cell.trained else {}
    plain = {**row, "dataset": cell.data.plain(), "budget": budget, "seeds": len(cell.seeds)}
    return ObservedCell(cell.dataset, cell.variant, cell.seeds, cell.steps, MappingProxyType(dict(_flat(plain))))


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers and words of plain data by dotted names; a choice's name stands under its own place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, place if key == "name" and place else f"{place}.{key}".strip("."))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for one in value:
            yield from _flat({**one, "name": one["name"]}, f"{place}.{one['name']}")
    elif isinstance(value, bool | int | float | str):
        yield place, value
    else:
        yield place, "null" if value is None else str(value)
