"""An error of a plugin file as one line: with the line of the file, and the cure where there is one."""

from __future__ import annotations

import traceback
from pathlib import Path

from ganbench.core.errors import message_of
from ganbench.core.exits import ExitRefusedError

_CURES = {"attempted relative import with no known parent package": ": write 'from x import y', without the dot"}


def one_line(error: BaseException, path: Path | str | None) -> str:
    """An exception as one line: the last line of ``path`` in its traceback, its type and its message."""
    if isinstance(error, SyntaxError):
        return (f"line {error.lineno}: " if error.lineno else "") + f"syntax error: {first_line(error.msg)}"
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {frames[-1]}: " if frames else ""
    cure = next((cure for part, cure in _CURES.items() if part in message_of(error)), "")
    if isinstance(error, SystemExit) and not isinstance(error, ExitRefusedError):
        cure = ": put what a script does below if __name__ == '__main__':"
    return f"{where}{type(error).__name__}: {first_line(message_of(error))}".rstrip(": ") + cure


def first_line(text: str) -> str:
    """The first line of a text that is not empty, without the spaces around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
