"""A lock on a file, held by one process at a time and freed by the kernel when that process dies."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: set[int] = set()


class LockedError(RuntimeError):
    """Another process holds the lock; ``holder`` names it, e.g. ``process 4711``."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is held by {holder}")
        self.holder = holder


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock on ``path``, a file that is created where it is missing and that names the holder.

    Raises LockedError at once where another process holds the lock; with ``wait``, waits until it is free.
    """
    owner = os.getpid()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise LockedError(path, _holder(file)) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        _held.add(file)
        yield
    finally:
        if os.getpid() == owner:
            _held.discard(file)
            os.close(file)


def _holder(file: int) -> str:
    pid, _, host = os.pread(file, 300, 0).decode(errors="replace").strip().partition(" ")
    if not pid:
        return "another process"
    return f"process {pid}" + (f" on {host}" if host != socket.gethostname() else "")


def _release_in_child() -> None:
    # The lock belongs to the open file, which a fork shares: a child that lives longer must not keep it.
    for file in _held:
        os.close(file)
    _held.clear()


os.register_at_fork(after_in_child=_release_in_child)
