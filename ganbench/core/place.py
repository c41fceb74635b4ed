"""A place in code, as messages name it."""

from __future__ import annotations


def place(path: str, line: int) -> str:
    """The name of a file, of any system's path, and a line: ``mine.py:12``."""
    return f"{file_name(path)}:{line}"


def file_name(path: str) -> str:
    """The name of a file, of any system's path."""
    return path.replace("\\", "/").rpartition("/")[2]
