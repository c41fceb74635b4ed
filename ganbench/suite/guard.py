"""Reads a suite's ``guard``: how large a change of each measure must be to matter in a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ganbench.core.messages import suggest
from ganbench.plugin.column import Column
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place

#: Measures beside the metrics' columns: the share of seeds that diverge, the ratio of speeds, the ratio of counts.
DIVERGED, SPEED, COUNTS = "diverged", "speed", "counts"
#: A floor for each name; False: it is not judged.
Guard = Mapping[str, float]


def read_guard(document: Document, place: Place, raw: Any, columns: Iterable[Column]) -> dict[str, float]:
    """Read a guard, and add a mistake to the document for each name that cannot be judged.

    Args:
        document: The suite's document.
        place: The place of the guard in it.
        raw: The guard as the document has it.
        columns: The columns of the suite's metrics.

    Returns:
        A floor for each name that can be judged; False: it is not judged.
    """
    known = {DIVERGED, SPEED, COUNTS, *(name for column in columns for name in _judged(column))}
    floors = {}
    for name, floor in raw.items() if isinstance(raw, dict) else ():
        if name in known:
            floors[name] = floor
        else:
            document.add((*place, name), f"nothing called {name!r} can be judged{suggest(str(name), known)}", True)
    return floors


def _judged(column: Column) -> tuple[str, ...]:
    if column.summary == "share":
        return (column.name, column.held)
    return (column.name,) if column.sided else ()
