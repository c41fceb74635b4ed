"""Whether a baseline is as it was saved: its numbers are measured, and nobody may write one by hand.

The digest is of the values, so other line ends, another order of rows, columns or keys, or other white space change
nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganbench.core.messages import shown
from ganbench.plugin.role import OF_CELL

#: The key of the digest in the JSON file; a baseline of an older ganbench has none.
SEAL = "digest"
#: What to do about a baseline that was changed; it is in git.
CURE = "take both files from git again, or delete both and save a run anew"


def digest(rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> str:
    """The digest of a baseline's rows, and of all else in its JSON file but the history of its saves."""
    numbers = sorted(json.dumps({name: _plain(value) for name, value in row.items()}, sort_keys=True) for row in rows)
    rest = {name: value for name, value in about.items() if name not in ("history", SEAL)}
    return hashlib.sha256(json.dumps([numbers, _plain(rest)], sort_keys=True).encode()).hexdigest()


def check(rows: Sequence[Mapping[str, Any]], header: Sequence[str], about: Mapping[str, Any], name: str) -> None:
    """Raise ValueError, in one line, where a baseline is not as it was saved.

    Args:
        rows: Its rows.
        header: The names of its columns.
        about: The content of its JSON file.
        name: The path of the CSV file, for the message.
    """
    beside = f"{name.removesuffix('.csv')}.json"
    of_cells = {one["metric"] for one in about["columns"] if one["role"] in OF_CELL}
    of_cells |= {one for case in about["cases"] for part in ("speed", "counts") for one in case[part]}
    for column in about["columns"]:
        known, summary = column["name"], column["summary"]
        if known not in header and summary != "same" and not {known, column["metric"]} & of_cells:
            raise ValueError(f"{name}: has no column {known!r}, which {beside} names: {CURE}")
        for row in rows if summary == "share" else ():
            if not isinstance(row.get(known), bool | None):
                place = f"{row['dataset']}/{row['variant']} seed {row['seed']}"
                raise ValueError(f"{name}: {known} of {place} must be True or False, not {shown(row[known])}: {CURE}")
    if SEAL in about and about[SEAL] != digest(rows, about):
        raise ValueError(f"{name}: is not as it was saved: a number in it or in {beside} was changed: {CURE}")


def _plain(value: Any) -> Any:
    """The same value, whether a number was written as 1 or as 1.0."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value
