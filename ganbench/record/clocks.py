"""Clocks that do not tell how fast a cell trains: left out.

Those of cells that were trained on several kinds of device do not compare, and one that was read while something else
used the machine measured that, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord


def devices(cells: Iterable[CellRecord]) -> tuple[str, ...]:
    """The kinds of device that cells were trained on; nearly always one, and none where the journal does not tell."""
    return tuple(dict.fromkeys(cell.device for cell in cells if cell.device))


def no_clocks(kinds: Sequence[str]) -> str:
    """Why a run has no clocks; empty where it has."""
    if len(kinds) < 2:
        return ""
    return f"no clocks: the cells were trained on {len(kinds)} kinds of device, whose speeds do not compare"


def leave_out_clocks(cells: Sequence[CellRecord], columns: Iterable[Column]) -> None:
    """Empty what clocks measured that does not compare with the other cells, or is not true; each row says why.

    What was measured stays in the journal.
    """
    of_all = no_clocks(devices(cells))
    clocks = {column.name for column in columns if column.is_time}
    for cell in cells if clocks else ():
        why = of_all or (f"no clocks: {cell.disturbed}" if cell.disturbed else "")
        if not why:
            continue
        # Where nothing was measured yet, nothing is left out: a run that goes on must see that it is lacking.
        if cell.speed and not cell.reference:
            note = "; ".join(filter(None, (cell.speed.get("note"), why)))
            cell.speed = {**cell.speed, **dict.fromkeys(clocks & cell.speed.keys()), "note": note}
        for rows in cell.evaluations.values():
            for seed, row in rows.items():
                if known := clocks & row.values.keys():
                    rows[seed] = replace(row, values={**row.values, **dict.fromkeys(known)})
