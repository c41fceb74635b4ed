"""A mistake in a suite file: one line with its place and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: The path to a value in a suite: keys, and indices of lists, ``("variants", "minimax", "loss")``.
Place = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake; ``line`` and ``column`` count from 1, and are 0 where the file could not be read."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where} {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class SuiteError(Exception):
    """A suite has mistakes: all of them, in the order of the file; the message has one line for each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


def dotted(place: Place) -> str:
    """A place as people write it: ``variants.minimax.loss``, ``metrics[0]``."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if part and part.isprintable() else repr(part))
    return text
