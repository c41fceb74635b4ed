"""How a seed of a cell ended."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a seed ended; every planned seed of every cell ends as exactly one row with one of these."""

    DONE = "done"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    ERROR = "error"
    TIMEOUT = "timeout"
    LOST = "lost"

    @property
    def measured(self) -> bool:
        """Whether the seed has a result. A diverged seed has one; a seed that was stopped has none."""
        return self in (Status.DONE, Status.DIVERGED)
