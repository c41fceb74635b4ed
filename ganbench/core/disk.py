"""Folders on disk, and what is said where the system refuses something."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from ganbench.core.names import no_path_here

_OPEN = "cannot be replaced: close it where it is open"


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, where they are missing.

    Raises OSError; where a file or a dangling link stands in the way, it names that.
    """
    if message := no_path_here(folder):
        raise OSError(errno.EINVAL, message, str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        for path in (*reversed(folder.parents), folder):
            if path.is_symlink() and not path.exists():
                what = f"is a link to {os.readlink(path)}, which does not exist"
            elif path.exists() and not path.is_dir():
                what = "is a file, not a folder"
            else:
                continue
            raise type(error)(error.errno, what, str(path)) from None
        raise


def os_error_line(error: OSError, place: object) -> str:
    """What the system said, in one line after the file's name, or ``place`` where the error names no file."""
    return f"{error.filename or place}: {error.strerror or error}"


def put(written: Path, path: Path) -> None:
    """Give a file that is written its name, in place of the file that has it.

    Args:
        written: the file under the name that it was written with.
        path: the name that it gets, in the same folder.

    Raises:
        OSError: it cannot be; the error names ``path``.
    """
    try:
        written.replace(path)
    except (IsADirectoryError, PermissionError) as error:
        # Windows does not replace a file that is open, and says the same of a folder.
        why = "is a folder where a file belongs: move it away" if path.is_dir() else _OPEN
        raise type(error)(error.errno, why, str(path)) from None


def write(path: Path, text: str) -> None:
    """Write a file completely or not at all, so that it survives a power failure."""
    hidden = path.with_name(f".{path.name}.new")
    with open(hidden, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    put(hidden, path)
    sync(path.parent)


def copy(path: Path, target: Path) -> None:
    """Copy a file completely or not at all, so that the copy survives a power failure."""
    hidden = target.with_name(f".{target.name}.new")
    with open(path, "rb") as source, open(hidden, "wb") as file:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    put(hidden, target)
    sync(target.parent)


def link(path: Path, target: Path) -> None:
    """Put a link in place of a file, to another file of the same disk that has the same content.

    It holds from wherever that disk is seen. Where there are no links the file stays.
    """
    hidden = path.with_name(f".{path.name}.new")
    hidden.unlink(missing_ok=True)
    try:
        hidden.symlink_to(os.path.relpath(target.resolve(), path.parent.resolve()))
    except OSError:  # not every disk has links, and Windows lets only some users make one
        return
    put(hidden, path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power failure, where the system can."""
    # Windows opens no folder, and not every file system syncs one.
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def discard(path: Path) -> None:
    """Remove a file, or whatever is in its place; nothing where there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
