"""Data sets that are built already, kept in memory for who needs the same one again."""

from __future__ import annotations

import weakref
from types import FunctionType, ModuleType
from typing import Any

#: Data sets are kept as long as all of them together take at most this many bytes; the last one always.
KEPT_BYTES = 2**28

#: So deep in a data set its arrays are looked for.
_DEPTH = 4

#: Each with what it was built from, as long as that is in use.
_KEPT: list[tuple[weakref.ref[Any], Any]] = []


def keep(choice: object, dataset: Any) -> None:
    """Keep a data set that was built and checked.

    ``choice``: what it was built from; the same object finds it again.
    """
    _KEPT[:] = [(of, one) for of, one in _KEPT if of() is not None and of() is not choice]
    _KEPT.append((weakref.ref(choice), dataset))
    while len(_KEPT) > 1 and sum(_bytes(one) for _, one in _KEPT) > KEPT_BYTES:
        del _KEPT[0]


def kept(choice: object) -> Any:
    """The data set that was built from ``choice``; None where it is not kept."""
    return next((one for of, one in _KEPT if of() is choice), None)


def _bytes(value: Any, depth: int = _DEPTH) -> int:
    """The size of the arrays in a data set: its own, those in its containers, and those of the data sets inside it."""
    try:
        return int(value.nbytes)
    except Exception:  # no array, or of a class that may raise anything
        if not depth or isinstance(value, type | ModuleType | FunctionType):
            return 0
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
        return sum(_bytes(one, depth - 1) for one in (*inside, *getattr(value, "__dict__", {}).values()))
