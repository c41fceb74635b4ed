"""The tables of results/measured/estimators.md: ``python tests/metrics/estimators_table.py``, the package on the path.

Measures each estimator of ``estimators.py`` on pairs whose divergence is known, 10,000 samples and as many of data,
writes results/measured/estimators.csv and prints both tables. A package that is not installed is left out, and said;
after ``--only NAME`` the rows of the others stay as the file has them.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from estimators import ESTIMATORS, Estimator
from known_answers import KNOWN, Bend, Known

from ganbench.data.mixture import Mixture

FILE = Path(__file__).parents[2] / "results" / "measured" / "estimators.csv"
N = 10_000
CHOSEN = (
    *("ring itself", "grid itself", "ring drop 1", "grid drop 12", "ring shift 1", "ring shift 3", "ring wide 5"),
    *("grid wide 15", "ring narrow 5", "ring squeezed 5", "ring narrow 20000", "line shift 1"),
)
#: Ten coordinates of which one is moved: as far apart as on the line.
SPACE = Mixture([[0.0] * 10], 1.0)
PAIRS = (
    *(known for known in KNOWN if known.name in CHOSEN),
    *(
        Known(f"10-D shift {by}", SPACE, Bend(stretch=(1.0,) * 10, shift=float(by)).sample, truth, 0.0, 0.0)
        for by, truth in ((1, 0.1114), (3, 0.5268))
    ),
)


@dataclass(frozen=True)
class Reading:
    """Of one estimator on one pair: ``mean`` and ``sd`` of its estimates, in nats, and the median seconds for one."""

    estimator: str
    pair: str
    truth: float
    mean: float
    sd: float
    seconds: float
    seeds: int


def measured(estimator: Estimator, known: Known) -> Reading:
    found, seconds = [], []
    for seed in range(estimator.seeds):
        samples = known.sample(known.mixture, np.random.default_rng(seed))
        real = known.mixture.sample(N, torch.Generator().manual_seed(seed)).double().numpy()
        begin = time.process_time()
        found.append(estimator.estimate(samples, real, known.mixture))
        seconds.append(time.process_time() - begin)
    return Reading(
        estimator.name,
        known.name,
        known.truth,
        float(np.mean(found)),
        float(np.std(found, ddof=1)),
        float(np.median(seconds)),
        estimator.seeds,
    )


def all_readings(estimators: Iterable[Estimator]) -> Iterable[Reading]:
    for estimator in estimators:
        if estimator.needs and importlib.util.find_spec(estimator.needs) is None:
            print(f"{estimator.name} is left out: python -m pip install {estimator.needs}", file=sys.stderr)
            continue
        for known in PAIRS:
            if known.mixture.dimension <= estimator.most and known.name in (estimator.pairs or (known.name,)):
                yield measured(estimator, known)


def ranking(readings: list[Reading]) -> list[str]:
    """A line an estimator, that with the smallest bias first; where it is asked of fewer pairs, it says of how many."""
    lines = [
        "| estimator | mean abs. bias | worst bias | of | mean sd | worst sd | seconds | pairs |",
        "|---" * 8 + "|",
    ]
    by_name: dict[str, list[Reading]] = {}
    for each in readings:
        by_name.setdefault(each.estimator, []).append(each)

    def bias(some: list[Reading]) -> np.ndarray:
        return np.array([each.mean - each.truth for each in some])

    for name, some in sorted(by_name.items(), key=lambda item: np.abs(bias(item[1])).mean()):
        off, sd = bias(some), np.array([each.sd for each in some])
        worst = np.abs(off).argmax()
        lines.append(
            f"| {name} | {np.abs(off).mean():.4f} | {off[worst]:+.4f} | {some[worst].pair} | {sd.mean():.4f} "
            f"| {sd.max():.4f} | {np.median([each.seconds for each in some]):.2g} | {len(some)} |"
        )
    return lines


def each_pair(readings: list[Reading]) -> list[str]:
    """A line a pair: its truth, and what each estimator reads in the mean."""
    names = list(dict.fromkeys(each.estimator for each in readings))
    lines = ["| pair | truth | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for known in PAIRS:
        own = {each.estimator: f"{each.mean:.3f}" for each in readings if each.pair == known.name}
        cells = [own.get(name, "·") for name in names]
        lines.append(f"| {known.name} | {known.truth:.3f} | " + " | ".join(cells) + " |")
    return lines


def read(file: Path) -> list[Reading]:
    with file.open(encoding="utf-8", newline="") as lines:
        kinds = {"estimator": str, "pair": str, "seeds": int}
        return [Reading(**{k: kinds.get(k, float)(v) for k, v in row.items()}) for row in csv.DictReader(lines)]


def write(file: Path, readings: list[Reading]) -> None:
    rows = [[f"{x:.4f}" if isinstance(x, float) else x for x in astuple(each)] for each in readings]
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([[field.name for field in fields(Reading)], *rows])


if __name__ == "__main__":
    torch.set_num_threads(1)
    only = sys.argv[2:] if sys.argv[1:2] == ["--only"] else [each.name for each in ESTIMATORS]
    if unknown := set(only) - {each.name for each in ESTIMATORS}:
        raise SystemExit(f"no estimator {sorted(unknown)[0]!r}: one of {', '.join(each.name for each in ESTIMATORS)}")
    kept = [each for each in read(FILE) if each.estimator not in only] if FILE.exists() else []
    found = [*kept, *all_readings([each for each in ESTIMATORS if each.name in only])]
    order = [each.name for each in ESTIMATORS]
    found.sort(key=lambda each: order.index(each.estimator))
    write(FILE, found)
    written = read(FILE)
    print("\n".join([*ranking(written), "", *each_pair(written)]))
