"""Whether two fingerprints are of the same data, as far as machines that round differently can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def other_data(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None, *, one_machine: bool) -> bool:
    """Whether the data are others.

    Args:
        before: A fingerprint of data, see ``train.fingerprint``, or None where there is none.
        now: Another one.
        one_machine: Whether both were made on the same kind of machine, by the same versions.

    Returns:
        Whether they differ; False where that is not known.
    """
    if not before or not now:
        return False
    # Older runs do not say which labels they had.
    if before.get("labels", "") and now.get("labels", "") and before["labels"] != now["labels"]:
        return True
    if before["sha256"] == now["sha256"]:
        return False
    if one_machine or before["rows"] != now["rows"]:
        return True
    # Another machine rounds otherwise, and another torch may draw other numbers: only a finite set is close then.
    spread = [max(high - low, 1e-9) for low, high in zip(before["quartiles"][0], before["quartiles"][2], strict=True)]
    allowed = 1e-4 if now["rows"] else 0.5
    far = any(
        abs(one - other) > allowed * scale + 1e-5 * abs(one)
        for ours, theirs in zip(before["quartiles"], now["quartiles"], strict=True)
        for one, other, scale in zip(ours, theirs, spread, strict=True)
    )
    moved = any(
        abs(one - other) > 1e-5 * (scale + abs(one))
        for one, other, scale in zip(before["mean"], now["mean"], spread, strict=True)
    )
    return far or (moved and bool(now["rows"]))
