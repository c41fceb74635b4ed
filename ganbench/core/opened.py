"""The files that a plugin opens while it builds something: what is in them decides numbers, whatever names them."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganbench.core.installed import installed

#: Of a file the most bytes that are read, as of files that a source names.
LARGEST = 2**30
#: Code is known by its modules, and what the system keeps is no data.
_NO_DATA, _SYSTEM = (".py", ".pyc", ".so"), ("/proc/", "/sys/", "/dev/", "/etc/")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
#: What is written down now, innermost last; and what each plugin has opened, by (kind, name), for its parameters.
_NOW: list[set[str]] = []
_OPENED: dict[tuple[str, str], dict[str, set[str]]] = {}
_HOOKED: list[bool] = []


@contextmanager
def opening(kind: str, name: str, parameters: str) -> Iterator[None]:
    """Write down the files that are opened to read in the block, by Python's own ``open``, for a plugin that builds.

    Args:
        kind: the kind of plugin
        name: its name
        parameters: those that it builds with, as text

    Returns:
        The block, a context manager.
    """
    if not _HOOKED:
        # An audit hook stays for ever: it is one, and does nothing outside of such blocks.
        sys.addaudithook(_audited)
        _HOOKED.append(True)
    found = _OPENED.setdefault((kind, name), {}).setdefault(parameters, set())
    _NOW.append(found)
    try:
        yield
    finally:
        _NOW.remove(found)


def opened(kind: str, name: str, parameters: str | None = None) -> dict[str, str]:
    """The SHA-256 of each file that a plugin has opened, by its name.

    Args:
        kind: the kind of plugin
        name: its name
        parameters: those that it was built with; None: any

    Returns:
        The digests; of files of one name in several folders one of all.
    """
    every = _OPENED.get((kind, name), {})
    paths = sorted(set().union(*(found for text, found in every.items() if parameters in (None, text))))
    digests: dict[str, list[str]] = {}
    for path in paths:
        with suppress(OSError, ValueError):
            about = os.stat(path)
            if stat.S_ISREG(about.st_mode) and about.st_size <= LARGEST:
                with open(path, "rb") as file:
                    digests.setdefault(Path(path).name, []).append(hashlib.file_digest(file, "sha256").hexdigest())
    return {name: one if not more else _of_all([one, *more]) for name, (one, *more) in digests.items()}


def _of_all(digests: list[str]) -> str:
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _audited(event: str, given: tuple[Any, ...]) -> None:
    if not _NOW or event != "open":
        return
    path, _, flags = given
    if isinstance(path, str | bytes | os.PathLike) and not (flags or 0) & _WRITES:
        with suppress(OSError, ValueError, RuntimeError):
            name = os.path.abspath(os.fsdecode(path))
            if not (name.endswith(_NO_DATA) or name.startswith(_SYSTEM) or installed(name)):
                _NOW[-1].add(name)
