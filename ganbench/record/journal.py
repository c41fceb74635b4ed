"""The journal: a file of one event a line, as JSON, to which a run only appends.

A line is written completely, flushed and synced before ``append`` returns. A killed process leaves at worst one torn
line at the end, without its newline: the reader and the next writer ignore it. JSON cannot hold numbers that are not
finite: NaN is written as null (a missing value), the infinities as the strings "inf" and "-inf". All other floats are
read back exactly.

Each line ends with a checksum of all before it, so that a digit that was edited is not taken for a measured one. Lines
without one, of an older ganbench, are read where the first line has none either.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganbench.record.events import KINDS, Event, RunFinished, from_json, to_json

#: Windows would write each newline as two characters.
_BINARY = getattr(os, "O_BINARY", 0)
_SEAL = re.compile(rb',"sha256":"([0-9a-f]{16})"\}')
_SEAL_LENGTH = len(b',"sha256":"0123456789abcdef"}')
_CURE = "restore it, or move the run's folder away to start afresh"


_OTHER = "read it with that one, or run the suite again in another folder (--out)"
_KIND = re.compile(rb'\{"event":"(\w+)"')


class JournalError(ValueError):
    """A damaged journal: a complete line of it is not an event, or not as it was written."""


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
        content = json.dumps(_plain(to_json(event)), allow_nan=False, separators=(",", ":")).encode()
        line = b'%s,"sha256":"%s"}\n' % (content[:-1], _checksum(content))
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

    Raises JournalError, naming the line, where a complete line is not an event, or was edited.
    """
    lines = [line.rstrip(b"\r") for line in path.read_bytes().split(b"\n")[:-1]]
    sealed = bool(lines) and _seal(lines[0]) is not None
    events = (_parse(line, f"{path}:{number}", sealed) for number, line in enumerate(lines, 1))
    return [event for event in events if event is not None]


def unknown(path: Path) -> tuple[str, ...]:
    """The kinds of events in a journal that this ganbench does not know: a newer one has written them."""
    lines = path.read_bytes().split(b"\n")[:-1]
    kinds = dict.fromkeys(found[1].decode() for line in lines if (found := _KIND.match(line)))
    return tuple(kind for kind in kinds if kind not in KINDS)


def joined(paths: Iterable[Path]) -> str:
    """The lines of several finished journals as those of one that has not finished."""
    lines = (line for path in paths for line in path.read_bytes().split(b"\n")[:-1])
    return "".join(f"{line.decode()}\n" for line in lines if from_json(json.loads(line)) != RunFinished())


def _parse(line: bytes, place: str, sealed: bool) -> Event | None:
    try:
        content = json.loads(line)
        event = from_json(content)
    except (json.JSONDecodeError, UnicodeDecodeError):
        reason = f"not a journal line: {line[:40]!r}; the file was damaged after it was written"
    except ValueError as error:
        # As it was written, yet without what this ganbench looks for.
        if (seal := _seal(line)) and seal == _checksum(line[:-_SEAL_LENGTH] + b"}"):
            raise JournalError(f"{place}: was written by another version of ganbench: {error}: {_OTHER}") from None
        reason = f"not a journal line: {error}; the file was damaged after it was written"
    else:
        seal = _seal(line)
        if seal == _checksum(line[:-_SEAL_LENGTH] + b"}") if seal else not sealed and "sha256" not in content:
            return event
        reason = "was edited after it was written: its checksum does not fit"
    raise JournalError(f"{place}: {reason}: {_CURE}")


def _seal(line: bytes) -> bytes | None:
    found = _SEAL.fullmatch(line[-_SEAL_LENGTH:])
    return found and found[1]


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:16].encode()


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
