"""What observers are told of, and how: one method at a time, after which the process is as it was before."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

from ganbench.core.messages import suggest
from ganbench.core.patience import named_when_slow
from ganbench.core.process_state import process_kept
from ganbench.core.streams import aside
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.entry import Entry
from ganbench.plugin.kinds import EVENT_NAMES
from ganbench.plugin.types import Executor, MetricValue, Observer


@dataclass(frozen=True)
class ObservedCell:
    """A cell, as an observer gets it.

    ``steps``: the generator steps that each seed trains, 0 for a reference. ``parameters``: all that it is trained
    with, by the names of a sweep: ``loss``, ``optimizer.lr``, ``budget.steps`` ...
    """

    dataset: str
    variant: str
    seeds: tuple[int, ...]
    steps: int
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``ring8/wgan-gp``."""
        return f"{self.dataset}/{self.variant}"


class ObservedRow(NamedTuple):
    """What was measured of a seed: its status, such as ``done``, and a value for each column."""

    seed: int
    status: str
    values: Mapping[str, MetricValue]


def tracked(summary: Mapping[str, tuple[float | None, ...]], rows: Iterable[ObservedRow] = ()) -> dict[str, float]:
    """The numbers of an evaluation as trackers name them: ``jsd``, ``jsd/low``, ``jsd/high``; of rows ``jsd/seed 3``.

    What is None is left out, and so are a row's words.
    """
    found: dict[str, float] = {}
    for name, interval in summary.items():
        named = zip((name, f"{name}/low", f"{name}/high"), interval, strict=True)
        found |= {key: value for key, value in named if value is not None}
    for row in rows:
        numbers = {name: float(value) for name, value in row.values.items() if isinstance(value, bool | int | float)}
        found |= {f"{name}/seed {row.seed}": value for name, value in numbers.items()}
    return found


class NotInstalledError(ValueError):
    """A plugin needs a package that is not installed; the message, one line, says how to install it."""


def check_installed(entry: Entry) -> None:
    """Raise NotInstalledError where an observer or an executor needs a package that is not installed."""
    assert isinstance(entry.value, Observer | Executor)
    for package, install in entry.value.needs.items():
        # A module that is loaded is there, whatever has made it: it may have no place to be found at.
        if package not in sys.modules and find_spec(package) is None:
            raise NotInstalledError(
                f"{entry.kind} {entry.name!r} needs the package {package}, which is not installed: "
                f"pip install '{install}'"
            )


class ObserverMethods:
    """The methods of what an observer's ``build`` returned, by their events."""

    def __init__(self, built: object) -> None:
        """Raise ValueError where it has none, or one that names what it is not given."""
        self._bound: dict[str, BoundFunction[Any]] = {}
        for event, names in EVENT_NAMES.items():
            if callable(method := getattr(built, event, None)):
                self._bound[event] = _checked(event, method, names)
        for name in (name for name in dir(type(built)) if not name.startswith("_") and name not in EVENT_NAMES):
            if (near := suggest(name, EVENT_NAMES)).startswith(", did"):
                raise ValueError(f"{type(built).__name__} has the method {name}, which is never called{near}")
        if not self._bound:
            raise ValueError(f"build() returned {type(built).__name__}, which has none of {', '.join(EVENT_NAMES)}")

    @property
    def events(self) -> tuple[str, ...]:
        """The events that it has a method for."""
        return (*self._bound,)

    def call(self, event: str, given: Mapping[str, Any]) -> None:
        """Call the method of an event, if there is one, with what it names of ``given``; raises what it raises."""
        if event in self._bound:
            self._bound[event](given)


@contextmanager
def unchanged_process(name: str) -> Iterator[None]:
    """Put the process back after the block, the global random states too; what it prints goes to standard error."""
    from ganbench.core.rng import restored  # late: torch takes seconds, and a list of plugins needs none

    slow = named_when_slow(f"waiting for the observer {name}")
    with slow, aside(), process_kept(), restored():
        yield


def _checked(event: str, method: Callable[..., Any], names: frozenset[str]) -> BoundFunction[Any]:
    given = ", ".join(sorted(names))
    for argument in inspect.signature(method).parameters.values():
        if argument.kind not in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD):
            raise ValueError(f"{event}() takes {argument}: name each argument instead (given: {given})")
        if argument.name not in names:
            raise ValueError(f"{event}() names {argument.name!r}, which is not given to it (given: {given})")
    return bind(method, {})
