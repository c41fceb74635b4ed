"""The zoo's table from a run of suites/zoo.yaml: ``python tests/benchmarks/zoo_table.py results/zoo``.

Writes results/zoo.csv, the columns of table.csv that are about the zoo's question, and prints the table of
results/README.md: a line a variant, with its medians over the seeds on each data set.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from ganbench.compare.load import find_run

COLUMNS = [
    "dataset",
    "variant",
    "seeds",
    "diverged",
    "failed",
    "jsd",
    "jsd_low",
    "jsd_high",
    "modes_covered",
    "modes_covered_low",
    "modes_covered_high",
    "all_modes_share",
    "high_quality",
    "verdicts",
]


def line(rows: pd.DataFrame) -> str:
    """One variant on all data sets."""
    cells = []
    for row in rows.itertuples():
        jsd = f"{row.jsd:.3f} [{row.jsd_low:.2f}, {row.jsd_high:.2f}]" if pd.notna(row.jsd_low) else f"{row.jsd:.3f}"
        what = "" if pd.isna(row.verdicts) else row.verdicts
        cells += [jsd, f"{row.modes_covered:g}", f"{100 * row.high_quality:.0f} %", what]
    return f"| {rows.variant.iloc[0]} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    table = pd.read_csv(find_run(Path(sys.argv[1])).path / "table.csv")
    table[COLUMNS].to_csv("results/zoo.csv", index=False, float_format="%.4g", lineterminator="\n")
    names = list(table.dataset.unique())
    print("| | " + " | ".join(f"{name}: JSD | modes | high quality | what happened" for name in names) + " |")
    print("|---" * (1 + 4 * len(names)) + "|")
    for variant in table.variant.unique():
        print(line(table[table.variant == variant]))
