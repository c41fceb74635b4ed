"""What is unusual about a data set, said once for all of its rows: at the data's own row, the first of the table."""

from __future__ import annotations

from ganbench.data.remarks import remarks
from ganbench.plugin.types import Distribution
from ganbench.suite.plan import Cell
from ganbench.suite.schema import FLOOR


def data_note(cell: Cell, dataset: Distribution) -> str:
    """What is unusual about the cell's data, in one line; empty where nothing is, and for all rows but the data's."""
    if cell.reference is None or cell.reference.name != FLOOR:
        return ""
    return "; ".join(remarks(dataset))
