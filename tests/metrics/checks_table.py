"""The table of results/measured/checks.md: ``python tests/metrics/checks_table.py``, with the package on the path.

Runs the suites checks/... into results/, or reads the runs that it is given, writes results/measured/checks.csv and
prints the table: a line a measure, with what it fails of each of the fifteen checks.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from checks import BOUNDS, CHECKS, MEASURES, PURPOSE, Measure, together, verdict

from ganbench.compare.sides.load import find_run
from ganbench.plugin.registry import Registry
from ganbench.suite.load import find, load

MEASURED = Path(__file__).parents[2] / "results" / "measured"
SUITES = ("sweeps", "pairs", "sizes-1000", "sizes-3162", "sizes-10000")
#: The parameter of a data set that is swept where its counterparts are not.
SWEPT = {"check-two-modes": "apart", "check-scaled": "scale", "check-disjoint": "extra", "check-rounded": "scale"}
#: What a cell of the table says of a heading that is failed.
LETTERS = {PURPOSE: "p", BOUNDS: "b", "sample size": "s", "data size": "d", "units": "u"}

#: Of each data set of a check (its name, with what it is of) and each case (its dimension): at each place of the sweep
#: the readings of all seeds, a row each.
Readings = dict[str, dict[str, dict[float, pd.DataFrame]]]


@dataclass(frozen=True)
class Row:
    """What a measure made of one check under one heading; ``failed``: in which cases, of those that it was asked in."""

    measure: str
    claims: str
    check: str
    heading: str
    verdict: str
    failed: str


def readings(runs: list[Path]) -> Readings:
    """All readings of the counterparts, in the order of the sweeps."""
    registry = Registry.load([find("checks/sweeps").parent / "plugins"])
    found: Readings = defaultdict(lambda: defaultdict(dict))
    for run in runs:
        suite = load(run / "suite.yaml", registry)
        seeds = pd.read_csv(run / "seeds.csv")
        if (seeds.status != "done").any():
            raise SystemExit(f"{run}: some seeds failed, so nothing is judged")
        for (dataset, variant), rows in seeds[seeds.variant != "oracle"].groupby(["dataset", "variant"]):
            choice = suite.datasets[dataset]
            given = {name: value for name, value in choice.parameters.items() if value is not None}
            place = given.pop(SWEPT.get(choice.name, ""), float(variant.rpartition("-")[2]))
            if suite.samples != 1000 or choice.name in ("check-cubes", "check-ball-and-torus"):
                place = suite.samples
            name, points = choice.name, given.pop("points", None)
            if name == "check-cubes" and points:
                name = f"{name} of {points}"
            if name == "check-rounded":
                name = f"{name} {given.pop('of')}"
            case = " ".join(str(value) for value in given.values())
            found[name][case][float(place)] = rows
    return found


def along(measure: Measure, sweep: Mapping[float, pd.DataFrame]) -> np.ndarray | None:
    """A measure's mean over the seeds at each place of a sweep; None where it has no number at all."""
    rows = [sweep[place] for place in sorted(sweep)]
    if measure.column not in rows[0]:
        return None
    means = [(each[measure.column] / (each[measure.total] if measure.total else 1)).mean(skipna=False) for each in rows]
    return None if np.isnan(means).all() else np.array(means)


def judged(found: Readings) -> list[Row]:
    """What each measure made of each check, under each heading."""
    rows = []
    for measure in MEASURES:
        for title in dict.fromkeys(check.title for check in CHECKS):
            halves = [check for check in CHECKS if check.title == title]
            for heading in dict.fromkeys(heading for check in halves for heading in check.asks):
                cases = {}
                for check in halves:
                    for case, sweep in found[check.dataset].items():
                        means = along(measure, sweep)
                        if means is not None:
                            name = " ".join(filter(None, (check.dataset.partition(" ")[2], case)))
                            cases[name] = outcome(measure, heading, title, check.asks[heading][measure.claims], means)
                asked = {name: each for name, each in cases.items() if each is not None}
                whole = together([*asked.values()]) if asked else None
                said = {None: "not asked", True: "pass", False: "fail"}.get(whole, whole)
                failed = ", ".join(name or "the only one" for name, each in asked.items() if not each)
                rows.append(Row(measure.column, measure.claims, title, heading, said, failed))
    return rows


def outcome(measure: Measure, heading: str, title: str, criteria: list, means: np.ndarray):
    """A verdict of one case. What has no upper bound fails all bounds; of an overlap it is not asked, which is None."""
    if measure.worst is None and heading == BOUNDS:
        return False
    if measure.worst is None and heading == PURPOSE and title.startswith("cubes"):
        return None
    y = measure.agreement(means)
    # A reading that is not there fails, and so does an infinite one.
    return verdict(criteria, y) if np.isfinite(y).all() else False


def table(rows: list[Row]) -> list[str]:
    """The lines of the table, in Markdown."""
    titles = list(dict.fromkeys(row.check for row in rows))
    lines = [
        "| measure | claims | passed | " + " | ".join(str(at) for at in range(1, len(titles) + 1)) + " |",
        "|---" * (3 + len(titles)) + "|",
    ]
    for measure in MEASURES:
        own = [row for row in rows if row.measure == measure.column]
        cells = [cell([row for row in own if row.check == title]) for title in titles]
        asked = [each for each in own if each.verdict != "not asked"]
        passed = sum(each.verdict != "fail" for each in asked)
        claims = f"{measure.claims}, no scale" if measure.worst is None else measure.claims
        lines.append(f"| `{measure.column}` | {claims} | {passed} of {len(asked)} | " + " | ".join(cells) + " |")
    return lines


def cell(rows: list[Row]) -> str:
    asked = [row for row in rows if row.verdict != "not asked"]
    if not asked:
        return "·"
    failed = "".join(LETTERS[row.heading] for row in asked if row.verdict == "fail")
    return f"**{failed}**" if failed else "✓"


def read(file: Path) -> list[Row]:
    """The rows of a file that was written."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [Row(**row) for row in csv.DictReader(lines)]


def write(file: Path, rows: list[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([[field.name for field in fields(Row)], *map(astuple, rows)])


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    if not given:
        for suite in SUITES:
            subprocess.run([sys.executable, "-m", "ganbench", "run", f"checks/{suite}", "--no-report"], check=True)
        given = [Path("results") / suite for suite in SUITES]
    rows = judged(readings([find_run(each).path for each in given]))
    write(MEASURED / "checks.csv", rows)
    print("\n".join(table(rows)))
