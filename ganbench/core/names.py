"""Names that a table gives back as they were written, whatever reads it."""

from __future__ import annotations

import re

_MISSING = frozenset({"na", "nan", "null", "none", "n/a", "<na>", "#n/a", "#na"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.IGNORECASE)


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


def _lettered(word: str) -> str:
    return f"v{word}" if word[0].isdigit() else f"v-{word.lstrip('+-.')}"
