"""The zoo's table from a run of suites/zoo.yaml: ``python tests/benchmarks/zoo_table.py results/zoo``.

Writes results/measured/zoo.csv, the columns of table.csv that are about the zoo's question, and prints the table of
zoo.md beside it: a line a variant, with its medians over the seeds on each data set. Of several runs, each with some
of the suite's variants, a later one's rows take the place of an earlier one's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from ganbench.compare.sides.load import find_run
from ganbench.plugin.registry import Registry
from ganbench.suite.load import find, load
from ganbench.suite.plan import plan

KEY = ["dataset", "variant"]
COLUMNS = [
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


def line(name: str, rows: pd.DataFrame) -> str:
    """One variant on all data sets."""
    cells = []
    for row in rows.itertuples():
        what = "" if pd.isna(row.verdicts) else row.verdicts.partition(",")[0]
        jsd = f"{row.jsd:.3f} [{row.jsd_low:.2f}, {row.jsd_high:.2f}]"
        cells += [jsd, f"{row.modes_covered:g}", what]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    tables = [pd.read_csv(find_run(Path(run)).path / "table.csv") for run in sys.argv[1:]]
    table = pd.concat(tables).drop_duplicates(KEY, keep="last").set_index(KEY)[COLUMNS]
    # As the suite has them; what it does not have, or the runs do not, is an error.
    cells = [(cell.dataset, cell.variant) for cell in plan(load(find("zoo"), Registry.load()))]
    table = table.loc[cells]
    table.to_csv("results/measured/zoo.csv", float_format="%.4g", lineterminator="\n")
    datasets = list(dict.fromkeys(dataset for dataset, _ in cells))
    print("| | " + " | ".join(f"{name}: JSD | modes | what happened most" for name in datasets) + " |")
    print("|---" * (1 + 3 * len(datasets)) + "|")
    for variant in dict.fromkeys(variant for _, variant in cells):
        print(line(variant, table.loc[[(dataset, variant) for dataset in datasets]]))
