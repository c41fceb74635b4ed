"""Material: an observer of a run that keeps what is said of the run as a whole."""

from __future__ import annotations

from ganbench.run.observer import RunObserver


class Noted(RunObserver):
    """Keeps the lines, in their order: of a plugin's observers that fail, of files that are gone ..."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)
