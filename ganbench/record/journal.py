"""The journal: a file of one event a line, as JSON, to which a run only appends.

A line is written completely, flushed and synced before ``append`` returns. A killed process leaves at worst one torn
line at the end, without its newline: the reader and the next writer ignore it. JSON cannot hold numbers that are not
finite: NaN is written as null (a missing value), the infinities as the strings "inf" and "-inf". All other floats are
read back exactly.
"""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganbench.record.events import Event, from_json, to_json

#: Windows would write each newline as two characters.
_BINARY = getattr(os, "O_BINARY", 0)


class JournalError(ValueError):
    """A damaged journal: a complete line of it is not an event."""


class Journal:
    """A journal open for appending; a torn last line is removed first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)

    def append(self, event: Event) -> None:
        """Write one event, so that it survives this process from here on.

        Raises TypeError for what JSON cannot hold and OSError where the disk fails or the file was taken away; the
        journal is then as before.
        """
        line = json.dumps(_plain(to_json(event)), allow_nan=False, separators=(",", ":")).encode() + b"\n"
        if not self.there:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        size = os.fstat(self._file).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise

    @property
    def there(self) -> bool:
        """Whether the open file is the one at its path; what is written to another would be lost without a word."""
        try:
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except OSError:
            return False

    @property
    def removed(self) -> bool:
        """Whether the open file has no name any more, here or elsewhere."""
        return os.fstat(self._file).st_nlink == 0

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[Event]:
    """All events of the kinds that are known here, oldest first, without a torn last line.

    Raises JournalError, naming the line, where a complete line is not an event.
    """
    lines = path.read_bytes().split(b"\n")[:-1]
    events = (_parse(line, f"{path}:{number}") for number, line in enumerate(lines, 1))
    return [event for event in events if event is not None]


def _parse(line: bytes, place: str) -> Event | None:
    try:
        return from_json(json.loads(line))
    except (json.JSONDecodeError, UnicodeDecodeError):
        reason = repr(line[:40])
    except ValueError as error:
        reason = str(error)
    raise JournalError(
        f"{place}: not a journal line: {reason}; "
        f"the file was damaged after it was written: restore it, or move the run's folder away to start afresh"
    )


def _plain(value: Any) -> Any:
    """The same value in JSON's types: numbers of numpy and torch as Python's; see the module for NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if not isinstance(value, (str, bool, int, float)) and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
