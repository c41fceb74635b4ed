"""Whether the attempt at a run before this one ended by itself: a file in the run's folder that is there meanwhile.

A process that is killed, that runs out of memory, or that compiled code ends at once, leaves the file behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ganbench.record.folder import RunFolder

#: The name of the file; it holds which cell was at work.
MARK = "running"
_LONGEST = 400


@contextmanager
def attempt(folder: RunFolder) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Mark a run, which this process has locked, as being worked on inside the block.

    Args:
        folder: the run.

    Yields:
        What to know of an attempt that ended without a word, in a line, empty where there was none; and a function that
            is told which cell is at work.
    """
    path = folder.path / MARK
    line = ""
    with suppress(OSError):
        doing = " ".join(path.read_text(encoding="utf-8", errors="replace")[:_LONGEST].split())
        line = (
            f"the attempt before ended without a word{f' at {doing}' if doing else ''}: its process was killed, ran "
            "out of memory, or was ended by code that it ran (a plugin's?)"
        )

    def tell(doing: str) -> None:
        # It is for a message alone: a disk that is full stops the run where a number cannot be written.
        with suppress(OSError):
            path.write_text(f"{doing}\n", encoding="utf-8")

    tell("")
    try:
        yield line, tell
    finally:
        with suppress(OSError):
            path.unlink()
