"""A sign of life while a command works for long: what it is doing, and for how long."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console

from ganbench.report.grid import safe
from ganbench.report.numbers import duration

#: Seconds before the first sign on a terminal, between two looks at the clock there, and between two lines elsewhere.
SOON, AGAIN, SELDOM = 2.0, 0.5, 30.0


class SignOfLife:
    """Says on the console what is being done: on a terminal in one line that goes away, elsewhere seldom in a line.

    A context; it is called with what comes next: ``sign("fresh data, 2 of 5")``.
    """

    def __init__(self, console: Console, subject: str) -> None:
        self._console, self._subject, self._doing = console, safe(console, subject), ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._began = time.monotonic()

    def __call__(self, doing: str) -> None:
        """Remember what is being done now."""
        self._doing = doing

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        if not self._console.is_terminal:
            while not self._ended.wait(SELDOM):
                self._console.print(self._line(), soft_wrap=True, markup=False)
        elif not self._ended.wait(SOON):
            with self._console.status("") as status:
                while True:
                    status.update(self._line().replace("[", r"\["))
                    if self._ended.wait(AGAIN):
                        return

    def _line(self) -> str:
        return f"{self._subject}: {self._doing} ({duration(time.monotonic() - self._began)})"
