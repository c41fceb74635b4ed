"""A file of samples before it is read: whether it is a file at all, what it holds, and how much."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ganbench.core.names import no_path_here

#: No more numbers than these are scored: 1 GiB in float32. What is larger is refused before it is read.
MOST_NUMBERS = 2**28
#: And no larger array is unpacked: as many numbers in double precision.
MOST_BYTES = 8 * MOST_NUMBERS
_PLACES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_STACK = "stack all samples in one array, (n, *shape), on the data's scale, and save it with numpy.save"
#: The first bytes of what is in a file's place, and what to do.
_IN_ITS_PLACE = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: git lfs pull",
    b"/annex/objects/": "is a pointer of git-annex, not the file itself: git annex get",
    b"<!DOCTYPE": "is a web page, not a file of samples: download it again",
    b"<!doctype": "is a web page, not a file of samples: download it again",
    b"<html": "is a web page, not a file of samples: download it again",
}


class UnreadableError(ValueError):
    """A file without samples that can be scored; str() is one line: where, and why."""


def look(path: Path) -> tuple[bytes, str]:
    """The first bytes of a file, and the sha256 of all of them.

    Raises UnreadableError for what is no file, or cannot be read: a pipe or a device would never end.
    """
    if message := no_path_here(path):
        raise UnreadableError(f"{path}: {message}")
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableError(f"{path}: is a folder, not a file of samples: {_STACK}")
        if not stat.S_ISREG(mode):
            what = _PLACES.get(stat.S_IFMT(mode), "no file")
            raise UnreadableError(f"{path}: is {what}, not a file: write the samples to a file, and score that")
        # What was a file may be a pipe by now: opening it must not wait.
        with os.fdopen(
            os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
        ) as file:
            head = file.read(32)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        dangling = f"is a link to {os.readlink(path)}, which is not there" if path.is_symlink() else "no such file"
        raise UnreadableError(f"{path}: {dangling}") from None
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror or error}") from None
    for start, words in _IN_ITS_PLACE.items():
        if head.startswith(start):
            raise UnreadableError(f"{path}: {words}")
    return head, sha256


def check_size(path: Path, numbers: int) -> None:
    """Raise UnreadableError where there are more numbers than are scored."""
    if numbers > MOST_NUMBERS:
        raise UnreadableError(
            f"{path}: holds {numbers:,} numbers, and at most {MOST_NUMBERS:,} are scored: "
            "keep fewer samples, chosen at random"
        )


def cure(suffix: str) -> str:
    """What to do with a file of another kind; empty where nothing is known about it."""
    if suffix in (".pkl", ".pickle", ".joblib", ".dill"):
        return ": a pickle runs code when it is read; save the array with numpy.save"
    if suffix in (".h5", ".hdf5", ".nc", ".zarr", ".tfrecord", ".json", ".jsonl"):
        return ": read the samples with its own library, and save the array with numpy.save"
    if suffix in (".rds", ".rda", ".rdata"):
        return ": write.csv(x, 'x.csv', row.names = FALSE) saves a table from R"
    if suffix in (".xlsx", ".xls", ".ods", ".feather", ".arrow", ".orc"):
        return ": save it as .csv, without row numbers"
    if suffix in (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".tar", ".tgz"):
        return f": {_STACK}"
    if suffix in (".gz", ".bz2", ".xz", ".zip", ".zst", ".7z"):
        return ": unpack it first"
    return ": save the array with numpy.save"
