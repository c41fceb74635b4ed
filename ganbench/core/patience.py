"""A sign of life while a plugin's code is waited for: which one, so that a person knows what to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ganbench.core.controls import on_one_line
from ganbench.core.streams import StderrText

#: Seconds after which what is waited for is named.
PATIENCE = 2.0


@contextmanager
def named_when_slow(doing: str) -> Iterator[None]:
    """Write to standard error what is being done, in a line, where the block takes longer than ``PATIENCE``."""
    slow = threading.Timer(PATIENCE, StderrText().write, [f"still {on_one_line(doing)} ...\n"])
    slow.daemon = True
    slow.start()
    try:
        yield
    finally:
        slow.cancel()
