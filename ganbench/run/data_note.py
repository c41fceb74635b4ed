"""What is unusual about a data set, said once for all of its rows: at the data's own row, the first of the table."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganbench.data.finite_set import parts_of
from ganbench.data.remarks import remarks
from ganbench.plugin.types import Distribution
from ganbench.suite.plan import Cell
from ganbench.suite.schema import FLOOR

#: A share of repeated samples from which on it is said.
MOST_REPEATED = 0.1


def data_note(cell: Cell, dataset: Distribution) -> str:
    """What is unusual about the cell's data, in one line; empty where nothing is, and for all rows but the data's."""
    if cell.reference is None or cell.reference.name != FLOOR:
        return ""
    return "; ".join([*remarks(dataset), *_repeats(cell, dataset)])


def _repeats(cell: Cell, dataset: Distribution) -> Iterator[str]:
    """Whether the data's own samples repeat rows, so that what reads repeats is no floor there."""
    rows = len(parts_of(dataset).get("training", ()))
    if not rows:
        return
    expected = 1 - rows / cell.samples * -math.expm1(-cell.samples / rows)
    if expected > MOST_REPEATED:
        yield (
            f"{cell.samples:,} samples are drawn from {rows:,} training rows, so {100 * expected:.0f} % of them repeat "
            "others: what reads repeats, as jsd does, is no floor in this row, and a model's may be lower"
        )
