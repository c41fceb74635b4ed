"""Ending the whole process at once, as ``os._exit`` does, is refused to plugins: a run would end with 0 and no result.

What a C library does by itself, ``_exit`` called through ctypes, cannot be seen from Python and is not refused.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_NAMES = ("_exit", "execv", "execve")
#: Who may: they end processes that they started, or the worker that they are.
_TRUSTED = frozenset(
    [
        "multiprocessing",
        "concurrent",
        "subprocess",
        "execnet",
        "xdist",
        "joblib",
        "loky",
        "torch",
        "pytest_timeout",
        "pydevd",
        "debugpy",
    ]
)


class ExitRefusedError(SystemExit):
    """Code wanted to end the process without any clean-up; the message, one line, names the call."""


@contextmanager
def exits_refused() -> Iterator[None]:
    """Let ``os._exit`` and ``os.exec*`` raise ExitRefusedError inside the block, in this process."""
    homes = [os, importlib.import_module(os.name)]  # posix or nt: where os has them from
    before = [(home, name, getattr(home, name)) for home in homes for name in _NAMES if hasattr(home, name)]
    for home, name, real in before:
        setattr(home, name, _refusing(name, real, os.getpid()))
    try:
        yield
    finally:
        for home, name, real in before:
            setattr(home, name, real)


def _refusing(name: str, real: Callable[..., NoReturn], process: int) -> Callable[..., NoReturn]:
    def refuse(*arguments: Any, **named: Any) -> NoReturn:
        caller = str(sys._getframe(1).f_globals.get("__name__", "")).partition(".")[0]
        if os.getpid() != process or caller in _TRUSTED:
            real(*arguments, **named)
        raise ExitRefusedError(f"os.{name} would end the whole program, and a plugin must not: raise an error instead")

    return refuse
