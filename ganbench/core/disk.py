"""Folders on disk, and what is said where the system refuses something."""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, where they are missing.

    Raises OSError; where a file or a dangling link stands in the way, it names that.
    """
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


def said(error: OSError, place: object) -> str:
    """What the system said, in one line after the file's name, or ``place`` where the error names no file."""
    return f"{error.filename or place}: {error.strerror or error}"
