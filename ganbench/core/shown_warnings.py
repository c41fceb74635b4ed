"""Warnings on the screen, each once: Python forgets which it has shown whenever its filters change, as in each cell."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def shown_once() -> Iterator[None]:
    """Within it, a warning of one line of code is shown once with the same words; all of them where -W is given."""
    before = warnings.showwarning
    seen: set[tuple[str, type[Warning], str, int]] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        key = str(message), category, filename, lineno
        if key not in seen or sys.warnoptions:
            seen.add(key)
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
