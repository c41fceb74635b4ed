"""The difference of each variant to a baseline on the same seeds, derived from a run's record alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.record import Record
from ganbench.record.tables.frame import frame
from ganbench.record.tables.values import against, baseline, paired, sided, values
from ganbench.stats.intervals import interquartile_mean
from ganbench.stats.paired import detectable, holm, improvement, p_value

_NAMED = 20
_NAMES = ("difference", "low", "high", "improves", "improves_low", "improves_high", "p", "p_holm", "detectable")


def differences(record: Record, variant: str | None = None) -> pd.DataFrame:
    """A row for each column with a better side, dataset and trained variant, against ``variant``.

    dataset, variant, baseline, column, unit, better, pairs (seeds measured in both), difference (variant minus
    baseline: the interquartile mean over the pairs) with low and high, improves (the probability that the variant's
    seed is the better) with improves_low and improves_high, p (Wilcoxon's signed-rank test), p_holm (corrected for all
    rows of the same column), detectable. Rows where either side is not applicable are left out. Without a ``variant``
    the baseline is the first trained one. Raises ValueError where the run has no such variant.
    """
    name = baseline(record) if variant is None else variant
    rivals = against(record, name)
    if variant is not None and not rivals:
        known = list(dict.fromkeys(cell.variant for cell in record.cells if cell.family == variant))
        if known:
            raise ValueError(f"{variant!r} has been swept: say at which setting, {_listed(known)}")
        known = list(dict.fromkeys(cell.variant for cell in record.cells))
        raise ValueError(f"there is no variant {variant!r} in this run; it has {_listed(known)}")
    rows: list[dict[str, Any]] = []
    for column in sided(record.columns):
        found = [
            _row(cell, rivals[cell.dataset], column)
            for cell in record.cells
            if not cell.reference and cell.variant != name and cell.dataset in rivals
        ]
        compared = [row for row in found if row["pairs"]]
        for row, p in zip(compared, holm([row["p"] for row in compared]), strict=True):
            rows.append({**row, "p_holm": p})
    return frame(rows, ("dataset", "variant", "baseline", "column", "unit", "better", "pairs", *_NAMES))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _row(cell: CellRecord, rival: CellRecord, column: Column) -> dict[str, Any]:
    apart = paired(cell, rival, column)
    ours, theirs = values(cell, column), values(rival, column)
    both = ours.keys() & theirs.keys()
    better = improvement([ours[seed] for seed in both], [theirs[seed] for seed in both], lower=column.better == "lower")
    numbers = (*interquartile_mean(apart), *better, p_value(apart), None, detectable(apart))
    return {
        "dataset": cell.dataset,
        "variant": cell.variant,
        "baseline": rival.variant,
        "column": column.name,
        "unit": column.unit,
        "better": column.better,
        "pairs": len(apart),
        **dict(zip(_NAMES, numbers, strict=True)),
    }
