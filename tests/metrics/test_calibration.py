"""The calibration table: what the estimator reads where the answer is known, 20 seeds of 10,000 samples a row.

``pytest -m calibration`` measures it again, holds each row to its tolerance and to results/measured/calibration.csv;
``python tests/metrics/test_calibration.py`` (with the package on the path) writes that file and coverage.csv beside it,
and prints both for calibration.md.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from known_answers import KNOWN, Known

from ganbench.metrics.jsd import jsds

MEASURED = Path(__file__).parents[2] / "results" / "measured"
SEEDS = 20


@dataclass(frozen=True)
class Row:
    """The errors in nats; ``covered`` and ``flagged`` are shares of the seeds."""

    case: str
    truth: float
    mean: float
    sd: float
    worst: float
    covered: float
    flagged: float


@cache
def measured(known: Known) -> Row:
    samples = np.stack([known.sample(known.mixture, np.random.default_rng(seed)) for seed in range(SEEDS)])
    estimates = jsds(torch.from_numpy(samples), known.mixture, guard=True)
    values = np.array([estimate.value for estimate in estimates])
    digit = 5e-5  # some truths are known to four
    covered = [estimate.low - digit <= known.truth <= estimate.high + digit for estimate in estimates]
    return Row(
        known.name,
        known.truth,
        float(values.mean()),
        float(values.std(ddof=1)),
        float(np.abs(values - known.truth).max()),
        float(np.mean(covered)),
        float(np.mean([estimate.flagged for estimate in estimates])),
    )


def committed(file: Path) -> dict[str, dict[str, str]]:
    """The rows of a results file by the name of their first column."""
    with file.open(encoding="utf-8", newline="") as lines:
        return {next(iter(row.values())): row for row in csv.DictReader(lines)}


def write(file: Path, rows: list) -> None:
    """Write dataclasses as a CSV file, and print them as a table of Markdown."""
    names = [field.name for field in fields(rows[0])]
    table = [[f"{x:.4f}" if isinstance(x, float) else str(x) for x in astuple(row)] for row in rows]
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([names, *table])
    for line in (names, ["---"] * len(names), *table):
        print("| " + " | ".join(line) + " |")


def check_page(file: Path, least: int) -> None:
    """The rows of a results file that calibration.md shows, ``least`` or more, stand there as they are."""
    text = (MEASURED / "calibration.md").read_text(encoding="utf-8")
    rows = committed(file)
    shown = [name for name in rows if f"| {name} |" in text]
    assert len(shown) >= least
    for name in shown:
        line = "| " + " | ".join(rows[name].values()) + " |"
        assert line in text, f"calibration.md lacks the row: {line}"


def test_the_page_shows_the_table() -> None:
    check_page(MEASURED / "calibration.csv", least=20)
    assert list(committed(MEASURED / "calibration.csv")) == [known.name for known in KNOWN]


@pytest.mark.calibration
@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_known_answer(known: Known) -> None:
    row = measured(known)
    assert abs(row.mean - known.truth) <= known.mean
    assert row.worst <= known.single
    if known.flagged is not None:
        assert row.flagged == known.flagged


@pytest.mark.calibration
@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_the_file_says_what_is_measured(known: Known) -> None:
    """To 0.0005, so that other versions of numpy and scipy may round as they like."""
    said = committed(MEASURED / "calibration.csv")[known.name]
    row = measured(known)
    assert [float(said[name]) for name in ("truth", "mean", "sd", "worst")] == pytest.approx(
        [row.truth, row.mean, row.sd, row.worst], abs=5e-4
    )


if __name__ == "__main__":
    from test_coverage import all_pairs

    write(MEASURED / "calibration.csv", [measured(known) for known in KNOWN])
    write(MEASURED / "coverage.csv", all_pairs())
