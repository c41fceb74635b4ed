"""Properties of an observer: it takes the events of a run in their order, finished or stopped, and changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from ganbench.core.errors import NotApplicableError, error_line, raise_if_stopped
from ganbench.core.rng import drawn_since, global_states
from ganbench.plugin.binding import bind
from ganbench.plugin.observed import (
    NotInstalledError,
    ObservedCell,
    ObservedRow,
    ObserverMethods,
    check_installed,
    unchanged_process,
)
from ganbench.plugin.types import MetricValue
from ganbench.testing.result import Property, Subject, WrongError

_SEEDS = (0, 1)
_CELLS = (
    ObservedCell("data", "real", _SEEDS, 0, {"reference": "real", "dataset": "data", "seeds": 2}),
    ObservedCell("data", "a", _SEEDS, 20, {"loss": "a", "optimizer.lr": 1e-3, "optimizer.betas": "[0.5, 0.9]"}),
    ObservedCell("data", "a lr=0.1", _SEEDS, 20, {"loss": "a", "optimizer.lr": 0.1, "dataset.uneven": False}),
)
#: After so many events of a run it is stopped: its cells were evaluated once, and that of a reference has ended.
_STOPPED = 10


def whole_run(subject: Subject) -> str:
    """Every event of a run: two cells that train at once, a seed that diverges, a number that is missing."""
    with _at_work(subject) as (methods, _):
        for event, given in _events():
            _call(methods, event, given, subject)
    return ", ".join(methods.events)


def stopped_run(subject: Subject) -> None:
    """A run that is stopped before anything was measured."""
    with _at_work(subject) as (methods, _):
        _call(methods, "closed", {"finished": False}, subject)


def resumed_run(subject: Subject) -> None:
    """A run that goes on, in the same folder: only what comes now is told."""
    events = [*_events()]
    with _at_work(subject) as (methods, start):
        for event, given in events[:_STOPPED]:
            _call(methods, event, given, subject)
        _call(methods, "closed", {"finished": False}, subject)
        again = start(resumed=True)
        started = [one for one in events[:_STOPPED] if one[0] == "cell_started" and one[1]["cell"].steps]
        for event, given in [*started, *events[_STOPPED:]]:
            _call(again, event, given, subject)


def changes_nothing(subject: Subject) -> None:
    """What it is given is the same afterwards, and so are the global random states."""
    with _at_work(subject) as (methods, _):
        states = global_states()
        for event, given in _events():
            before = copy.deepcopy(dict(given))
            _call(methods, event, given, subject)
            for name, value in given.items():
                if not _same(before[name], value):
                    raise WrongError(f"{event}() changes {name} in place")
        if touched := drawn_since(states):
            raise WrongError(f"changes {touched[0]}'s global random state, which is not put back")


PROPERTIES = (
    Property("every event of a run", whole_run),
    Property("a run that is stopped", stopped_run, everywhere=False),
    Property("a run that goes on", resumed_run, everywhere=False),
    Property("nothing changed", changes_nothing, everywhere=False),
)


@contextmanager
def _at_work(subject: Subject) -> Iterator[tuple[ObserverMethods, Any]]:
    """The observer's methods in an empty folder, and what starts it once more there."""
    try:
        check_installed(subject.entry)
    except NotInstalledError as lacking:
        raise NotApplicableError(str(lacking)) from None
    parameters = {**subject.parameters, **subject.value.tried_with}
    # What a tracker has open may not be removed everywhere.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, chdir(folder):
        run = Path(folder) / "suite" / "run"
        run.mkdir(parents=True)
        suite = {"suite": "conformance", "datasets": {"data": {"name": "data"}}, "variants": {"a": {}}}

        def start(resumed: bool = False) -> ObserverMethods:
            given = {"suite": copy.deepcopy(suite), "cells": _CELLS, "run": run, "resumed": resumed}
            with unchanged_process(subject.entry.name):
                try:
                    return ObserverMethods(bind(subject.value.build, parameters)(given))
                except ValueError as error:
                    raise WrongError(str(error)) from error

        yield start(), start


def _call(methods: ObserverMethods, event: str, given: Mapping[str, Any], subject: Subject) -> None:
    try:
        with unchanged_process(subject.entry.name):
            methods.call(event, given)
    except BaseException as error:
        raise_if_stopped(error)
        raise WrongError(f"fails at {event}: {error_line(error)}") from error


def _events() -> Iterator[tuple[str, Mapping[str, Any]]]:
    real, one, other = _CELLS
    image = np.full((8, 8, 3), 200, np.uint8)
    for cell in (real, one, other):
        yield "cell_started", {"cell": cell}
        if cell is real:
            yield from _evaluated(cell, 0, image)
    for step in (10, 20):
        for cell in (one, other):
            yield from _evaluated(cell, step, image)
    table = pd.DataFrame(
        {"dataset": "data", "variant": [cell.variant for cell in _CELLS], "distance": [0.0, 0.3, None]}
    )
    yield "run_ended", {"table": table}
    yield "closed", {"finished": True}


def _evaluated(cell: ObservedCell, step: int, image: np.ndarray) -> Iterator[tuple[str, Mapping[str, Any]]]:
    values: dict[str, MetricValue] = {
        "distance": 0.3,
        "found": 5,
        "complete": True,
        "way": "a word",
        "missing": None,
        "note": "",
    }
    broken = ObservedRow(1, "diverged", values | {"distance": float("inf"), "missing": float("nan"), "complete": False})
    rows = (ObservedRow(0, "done", values), broken)
    summary = {"distance": (0.3, 0.1, 0.5), "found": (5.0, None, None), "complete_share": (0.5, 0.01, 0.99)}
    summary |= {"diverged": (1.0, None, None)}
    yield "pictured", {"cell": cell, "step": step, "image": image}
    yield "evaluated", {"cell": cell, "step": step, "rows": rows, "summary": summary}
    if step == cell.steps:
        yield "cell_ended", {"cell": cell, "rows": rows, "summary": summary}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return one.equals(other) if isinstance(one, pd.DataFrame) else repr(one) == repr(other)
