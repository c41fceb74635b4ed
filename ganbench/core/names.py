"""Names that a table gives back as they were written, and that files can have, whatever reads or keeps them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

_MISSING = frozenset({"na", "nan", "null", "none", "n/a", "<na>", "#n/a", "#na"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.IGNORECASE)
#: Whether this system is Windows.
WINDOWS = os.name == "nt"
#: What Windows opens in place of a file of that name, in any folder, whatever follows a dot.
_DEVICES = frozenset(
    {
        "con",
        "conin$",
        "conout$",
        "prn",
        "aux",
        "nul",
        *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)),
    }
)


def lost_in_tables(name: str) -> str:
    """Why what reads a table, such as pandas, would not give the name back, as a message; empty where it would."""
    word = name.strip()
    if word.lower() in _MISSING:
        return f"{name!r} is a missing value to what reads tables: choose another name"
    if word.lower() in ("true", "false"):
        return f"{name!r} is a truth value to what reads tables: choose another name"
    if _NUMBER.fullmatch(word):
        return f"{name!r} is a number to what reads tables: begin it with a letter, as {_lettered(word)!r}"
    if not word or not name.isprintable():
        return f"{name!r} cannot be seen in a table: choose another name"
    return ""


def lost_on_windows(name: str) -> str:
    """Why Windows has no file or folder of this name, as a message; empty where it can have one."""
    if name.partition(".")[0].rstrip().lower() in _DEVICES:
        return f"{name!r} is a device on Windows, where no file can be called so: choose another name"
    if name.endswith((".", " ")):
        return f"{name!r} ends in a {'dot' if name[-1] == '.' else 'space'}, which Windows drops: choose another name"
    return ""


def no_path_here(path: Path) -> str:
    """Why this system, if it is Windows, has no such path; empty where it can have it: a device would never end."""
    if not WINDOWS:
        return ""
    parts = (part for part in path.parts if part not in (path.anchor, ".", ".."))
    return next(filter(None, map(lost_on_windows, parts)), "")


def same_file(name: str, others: Iterable[str]) -> str:
    """Which of the other names differs from this one in case alone: Windows and macOS keep one file for both.

    Args:
        name: the name.
        others: names of the same folder; one that is equal does not count.

    Returns:
        The other name; empty where there is none.
    """
    return next((other for other in others if other != name and other.lower() == name.lower()), "")


def _lettered(word: str) -> str:
    return f"v{word}" if word[0].isdigit() else f"v-{word.lstrip('+-.')}"
