"""What no seed decides: calls of the system's random numbers, and of the clock, from plugins' code."""

from __future__ import annotations

import datetime
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import numpy as np

from ganbench.core.place import place
from ganbench.core.rng import isolated

_URANDOM = os.urandom
#: Where Python looks it up: ``secrets``, ``uuid4``, ``SystemRandom`` and numpy's generators without a seed all call it.
_HOMES = ((os, "urandom"), (random, "_urandom"))
#: Where numpy's RandomState looks its bit generator up.
_LEGACY: Any = np.random.mtrand
_CLOCKS = frozenset(
    [
        *(
            getattr(time, name + unit)
            for name in ("time", "monotonic", "perf_counter", "process_time")
            for unit in ("", "_ns")
        ),
        datetime.datetime.now,
        datetime.datetime.utcnow,
    ]
)
#: For each block that watches now: the modules that it watches, and what it has found.
_WATCHING: list[tuple[frozenset[str], dict[str, str]]] = []
UNSEEDED = "draws random numbers without a seed, so each run would have others: give the generator a fixed seed"


@contextmanager
def unseeded_calls(modules: frozenset[str]) -> Iterator[dict[str, str]]:
    """Watch for calls in the block that no seed decides.

    Args:
        modules: the names of the modules whose code is watched

    Yields:
        Where the first call of each source is, as ``mine.py:12``, filled in the block: ``random`` (a module's code has
            led to it) and ``clock`` (a module's code has called it).
    """
    before = sys.getprofile()

    def profile(frame: FrameType, event: str, called: Any) -> None:
        if callable(before):
            before(frame, event, called)  # type: ignore[arg-type]
        if event == "c_call" and called in _CLOCKS and frame.f_globals.get("__name__") in modules:
            found.setdefault("clock", place(frame.f_code.co_filename, frame.f_lineno))
        elif event == "c_call" and called is _URANDOM:
            _tell(frame)

    with random_calls(modules) as found:
        if before is not None and not callable(before):
            # Python's own profiler: nothing can be set beside it, nor put it back. Clocks are then not looked for.
            yield found
            return
        sys.setprofile(profile)
        try:
            yield found
        finally:
            sys.setprofile(before)


@contextmanager
def random_calls(modules: frozenset[str]) -> Iterator[dict[str, str]]:
    """Watch for draws of the system's random numbers in the block: without a profiler, which slows imports down.

    Args:
        modules: the names of the modules whose code is watched

    Yields:
        Where a module's code has first led to one, as ``{"random": "mine.py:12"}``, filled in the block.
    """
    found: dict[str, str] = {}
    _WATCHING.append((modules, found))
    for home, name in _HOMES:
        setattr(home, name, _urandom)
    _LEGACY._MT19937 = _Legacy
    try:
        yield found
    finally:
        _WATCHING.pop()
        if not _WATCHING:
            _LEGACY._MT19937 = np.random.MT19937
        for home, name in _HOMES if not _WATCHING else ():
            if getattr(home, name) is _urandom:  # what a plugin has put in its place is found and put back elsewhere
                setattr(home, name, _URANDOM)


def _urandom(size: int, /) -> bytes:
    """``os.urandom``; a plugin may keep it for good, by ``from os import urandom``."""
    _tell(sys._getframe(1))
    return _URANDOM(size)


class _AsNumpys(type):
    """Numpy asks whether its own generators, too, are of the class that stands in its place."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, np.random.MT19937)


class _Legacy(np.random.MT19937, metaclass=_AsNumpys):  # type: ignore[metaclass]
    """The generator inside numpy's RandomState, which is made at random even where a seed is set right after.

    That draw decides nothing, so what it told is taken back. It has numpy's name, which is in its state.
    """

    def __init__(self, *given: Any) -> None:
        self._untold = [found for _, found in _WATCHING if "random" not in found]
        super().__init__(*given)

    def _legacy_seeding(self, seed: Any) -> None:
        super()._legacy_seeding(seed)
        for found in self._untold if seed is not None else ():
            found.pop("random", None)
        self._untold = []


_Legacy.__name__ = np.random.MT19937.__name__


def _tell(frame: FrameType) -> None:
    """Tell each block that watches where one of its modules has led to a draw."""
    for modules, found in _WATCHING:
        at: FrameType | None = frame
        while at is not None and at.f_globals.get("__name__") not in modules:
            # What a library draws while it is imported is no draw of the module that imports it.
            at = None if at.f_code.co_filename.startswith("<frozen importlib") else at.f_back
        if at is not None:
            found.setdefault("random", place(at.f_code.co_filename, at.f_lineno))


@contextmanager
def seeded(module: str) -> Iterator[dict[str, str]]:
    """What a file draws at random while it is executed is the same in every run; yields where it cannot be.

    ``module``: the file's module; without a name such draws are not looked for.
    """
    nothing: dict[str, str] = {}
    watched = random_calls(frozenset({module})) if module else nullcontext(nothing)
    with isolated(0, "plugin"), watched as found:
        yield found
