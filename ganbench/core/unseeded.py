"""What no seed decides: calls of the system's random numbers, and of the clock, from plugins' code."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

from ganbench.core.place import place
from ganbench.core.rng import isolated

#: ``secrets``, ``uuid4``, ``SystemRandom`` and numpy's generators without a seed all call it.
_RANDOM = (os.urandom,)
_CLOCKS = (
    *(
        getattr(time, name + unit)
        for name in ("time", "monotonic", "perf_counter", "process_time")
        for unit in ("", "_ns")
    ),
    datetime.datetime.now,
    datetime.datetime.utcnow,
)
_SOURCES = {**dict.fromkeys(_RANDOM, "random"), **dict.fromkeys(_CLOCKS, "clock")}


@contextmanager
def unseeded_calls(modules: frozenset[str]) -> Iterator[dict[str, str]]:
    """Watch for calls in the block that no seed decides.

    Args:
        modules: the names of the modules whose code is watched

    Yields:
        Where the first call of each source is, as ``mine.py:12``, filled in the block: ``random`` (a module's code has
            led to it) and ``clock`` (a module's code has called it).
    """
    found: dict[str, str] = {}

    def profile(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or (source := _SOURCES.get(called)) is None or source in found:
            return
        at: FrameType | None = frame
        while at is not None and at.f_globals.get("__name__") not in modules:
            # What a library draws while it is imported is no draw of the module that imports it.
            imported = at.f_code.co_filename.startswith("<frozen importlib")
            at = at.f_back if source == "random" and not imported else None
        if at is not None:
            found[source] = place(at.f_code.co_filename, at.f_lineno)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(before)


@contextmanager
def seeded(module: str) -> Iterator[dict[str, str]]:
    """What a file draws at random while it is executed is the same in every run; yields where it cannot be.

    ``module``: the file's module; without a name such draws are not looked for.
    """
    nothing: dict[str, str] = {}
    watched = unseeded_calls(frozenset({module})) if module else nullcontext(nothing)
    with isolated(0, "plugin"), watched as found:
        yield found
