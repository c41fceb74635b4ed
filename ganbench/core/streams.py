"""The standard streams of the process, kept so that code which closes or moves them harms nobody."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress

_STREAMS = (0, 1, 2)
#: A copy of each that is open, by its number.
_kept: dict[int, int] = {}


@contextmanager
def kept() -> Iterator[None]:
    """Keep a copy of each standard stream, so that ``mend`` can put them back inside the block."""
    outer, own = dict(_kept), {}
    for number in _STREAMS:
        with suppress(OSError):
            own[number] = os.dup(number)
    _kept.clear()
    _kept.update(own)
    try:
        yield
    finally:
        mend()
        _kept.clear()
        _kept.update(outer)
        for copy in own.values():
            os.close(copy)


def mend() -> bool:
    """Put back what was closed or moved: the file descriptors, and Python's own streams. Whether there was any."""
    broken = False
    for number, copy in _kept.items():
        try:
            same = os.path.samestat(os.fstat(number), os.fstat(copy))
        except OSError:
            same = False
        if not same:
            os.dup2(copy, number)
            broken = True
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, f"__{name}__")
        if stream is not None and stream.closed and number in _kept:
            again = open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
            if getattr(sys, name) is stream:
                setattr(sys, name, again)
            setattr(sys, f"__{name}__", again)
            broken = True
    return broken


@contextmanager
def aside() -> Iterator[None]:
    """What is printed in the block goes to standard error: a command's standard output is its result alone."""
    with redirect_stdout(StderrText()):
        yield


class StderrText(io.TextIOBase):
    """Text that goes to standard error as it then is; closing it does nothing."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._target = sys.stderr

    def write(self, text: str) -> int:
        """Write a text; it is lost where there is no standard error."""
        if self._target is not None:
            with suppress(OSError, ValueError):
                self._target.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush standard error."""
        if self._target is not None:
            with suppress(OSError, ValueError):
                self._target.flush()

    def fileno(self) -> int:
        """Standard error's number."""
        return 2

    def writable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Do nothing: others write there too."""
