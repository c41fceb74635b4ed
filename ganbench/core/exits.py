"""Ending the whole process at once, as ``os._exit`` does, is refused to plugins: a run would end with 0 and no result.

So is the look-up of C's ``exit`` and its like through ctypes. What compiled code does by itself cannot be seen from
Python: of a run that ended so, the folder says that it has not finished (see ``record.attempt``).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_NAMES = ("_exit", "execv", "execve")
#: C's functions that end the process, and Python's and Windows' own, as ctypes looks them up.
_C_NAMES = frozenset({"exit", "_exit", "_Exit", "quick_exit", "Py_Exit", "ExitProcess", "TerminateProcess"})
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
    outer = _lookups.refused_in
    _lookups.refuse(os.getpid())
    try:
        yield
    finally:
        _lookups.refused_in = outer
        for home, name, real in before:
            setattr(home, name, real)


def _refusing(name: str, real: Callable[..., NoReturn], process: int) -> Callable[..., NoReturn]:
    def refuse(*arguments: Any, **named: Any) -> NoReturn:
        caller = str(sys._getframe(1).f_globals.get("__name__", "")).partition(".")[0]
        if os.getpid() != process or caller in _TRUSTED:
            real(*arguments, **named)
        raise _refusal(f"os.{name}")

    return refuse


class _Lookups:
    """Refuses to look C's functions up, through an audit hook: once there, such a hook is there for ever."""

    def __init__(self) -> None:
        #: The process in which they are refused now; 0 where in none.
        self.refused_in = 0
        self._there = False

    def refuse(self, process: int) -> None:
        self.refused_in = process
        if not self._there:
            self._there = True
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "ctypes.dlsym" and arguments[1] in _C_NAMES and os.getpid() == self.refused_in:
            raise _refusal(f"C's {arguments[1]}")


_lookups = _Lookups()


def _refusal(call: str) -> ExitRefusedError:
    return ExitRefusedError(f"{call} would end the whole program, and a plugin must not: raise an error instead")
