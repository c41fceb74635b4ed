"""A lock on a file, held by one process at a time and freed by the system when that process dies."""

from __future__ import annotations

import errno
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

#: What a file system without locks says: Lustre, NFS and FUSE as some clusters mount them.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


class LockedError(RuntimeError):
    """Another process holds the lock; ``holder`` names it, e.g. ``process 4711``."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is held by {holder}")
        self.holder = holder


class NoLocksError(OSError):
    """The file system has no locks: two processes could write one run."""


@contextmanager
def locked(path: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock on ``path``, a file that is created where it is missing and that names the holder.

    Raises LockedError where another process holds the lock for longer than ``wait`` seconds. Raises NoLocksError where
    the file system has no locks: a file that only says that it is a lock would be left by a killed process, and nobody
    on another machine could tell.
    """
    lock = _lock(path)
    try:
        lock.acquire(timeout=wait if math.isfinite(wait) else -1)
    except Timeout:
        raise LockedError(path, _holder(path)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise NoLocksError(
            error.errno,
            f"has no file locks ({error.strerror}), and without them two processes could write one run: "
            f"keep runs in a folder of another disk, as with --out DIR",
            str(path.parent),
        ) from None
    try:
        yield
    finally:
        lock.release()


def _lock(path: Path) -> BaseFileLock:
    if issubclass(FileLock, SoftFileLock):  # A Python without fcntl: such a lock writes its holder itself.
        return FileLock(path)
    return FileLock(path, fallback_to_soft=False, preserve_lock_file=True, on_acquired=_sign)


def _sign(file: int) -> None:
    """Write into the open lock file who holds it."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, f" {os.getpid()} {socket.gethostname()}\n".encode())


def _holder(path: Path) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            # Windows locks the first byte, which is a space, against reading.
            file.seek(1 if os.name == "nt" else 0)
            pid, host, *_ = (file.read(300) or b"").decode(errors="replace").split()
    except (OSError, ValueError):
        return "another process"
    return f"process {pid}" + (f" on {host}" if host != socket.gethostname() else "")
