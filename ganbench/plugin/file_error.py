"""An error of a plugin file as one line: with the line of the file, and the cure where there is one."""

from __future__ import annotations

import inspect
import re
import traceback
from pathlib import Path

from ganbench.core.errors import message_of
from ganbench.core.exits import ExitRefusedError
from ganbench.plugin import column, types

_CURES = {"attempted relative import with no known parent package": ": write 'from x import y', without the dot"}


def one_line(error: BaseException, path: Path | str | None) -> str:
    """An exception as one line: the last line of ``path`` in its traceback, its type and its message."""
    if isinstance(error, SyntaxError):
        return (f"line {error.lineno}: " if error.lineno else "") + f"syntax error: {first_line(error.msg)}"
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {frames[-1]}: " if frames else ""
    cure = next((cure for part, cure in _CURES.items() if part in message_of(error)), "") or _cure(error)
    if isinstance(error, SystemExit) and not isinstance(error, ExitRefusedError):
        cure = ": put what a script does below if __name__ == '__main__':"
    return f"{where}{type(error).__name__}: {first_line(message_of(error))}".rstrip(": ") + cure


def _cure(error: BaseException) -> str:
    """What to do where a module is not there, or where a value of ganbench's is made with the wrong arguments."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return f": install {top} in this Python, or put {top}.py beside the file, or leave the import out"
    called = re.match(r"(\w+)\.__init__\(\)", message_of(error)) if isinstance(error, TypeError) else None
    value = called and (getattr(types, called[1], None) or getattr(column, called[1], None))
    if called is None or value is None:
        return ""
    arguments = inspect.signature(value).parameters.values()
    required = ", ".join(each.name for each in arguments if each.default is each.empty)
    others = ", ".join(f"{each.name}=" for each in arguments if each.default is not each.empty)
    return f": write {called[1]}({required})" + (f", where you may add {others}" if others else "")


def first_line(text: str) -> str:
    """The first line of a text that is not empty, without the spaces around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
