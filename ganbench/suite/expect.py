"""Reads a variant's ``expect``: what the suite says beforehand of how it ends, on all data sets or on some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ganbench.core.expectation import Expectation
from ganbench.core.messages import suggest
from ganbench.plugin.column import Column, find
from ganbench.plugin.role import Role
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place

#: What is expected of a variant on each data set; data sets of which nothing is expected are left out.
Expected = Mapping[str, Expectation]


def read_expect(
    document: Document, place: Place, raw: Any, datasets: Iterable[str], columns: Iterable[Column]
) -> dict[str, Expectation]:
    """Read what is expected of a variant, and add a mistake to the document where that could not be judged.

    Args:
        document: The suite's document.
        place: The place of ``expect`` in it.
        raw: What the document has there: one word for all data sets, or a mapping of data sets to words.
        datasets: The names of the suite's data sets.
        columns: The columns of the suite's metrics.

    Returns:
        What is expected on each data set.
    """
    known, columns = list(datasets), list(columns)
    if raw is None:
        return {}
    # Without columns the metrics could not be read, which is a mistake already.
    lacking = [what for role, what in _NEEDED.items() if columns and find(columns, role) is None]
    if lacking:
        document.add(place, f"cannot be judged: no metric of the suite gives {' or '.join(lacking)}", key=True)
    if not isinstance(raw, Mapping):
        return dict.fromkeys(known, raw)
    for name in raw:
        if name not in known:
            document.add((*place, name), f"the suite has no data set {name!r}{suggest(str(name), known)}", key=True)
    return {name: raw[name] for name in known if name in raw}


#: Without these no seed has the verdict ``converged``.
_NEEDED: dict[Role, str] = {"primary": "a primary number", "covered": "a count of modes"}
