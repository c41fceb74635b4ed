"""The calibration table of results/README.md: what the estimator reads where the answer is known.

``python tests/measure/test_calibration.py`` prints the table anew (with the package on the path).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from test_jsd import GRID, KNOWN, RING, Bend

from ganbench.measure.jsd import jsd
from ganbench.mixture import Mixture

README = Path(__file__).parents[2] / "results" / "README.md"
SEEDS = 20
SQUEEZED, POINTS = Bend(stretch=(0.02, 1.0)), Bend(stretch=(5e-5, 5e-5))
#: What cells cannot see has no tolerance in ``test_jsd``; the table says it all the same.
UNSEEN = [
    ("ring squeezed 50", RING, SQUEEZED, 0.6059),
    ("grid squeezed 50", GRID, SQUEEZED, 0.6059),
    ("ring narrow 20000", RING, POINTS, 0.6931),
]


def cases() -> dict[str, tuple[Mixture, Bend, float]]:
    """By name: the data, the generator, and the divergence between them in nats."""
    known = {str(case.id): case.values[:3] for case in KNOWN}
    return known | {name: (mixture, bend, truth) for name, mixture, bend, truth in UNSEEN}


def row(name: str) -> tuple[float, float, float, float]:
    """(truth, mean, standard deviation, largest error) of the estimate over the seeds."""
    mixture, bend, truth = cases()[name]
    values = np.array([jsd(bend.sample(mixture, np.random.default_rng(seed)), mixture).value for seed in range(SEEDS)])
    return truth, values.mean(), values.std(ddof=1), np.abs(values - truth).max()


def printed(name: str) -> str:
    return f"| {name} | " + " | ".join(f"{number:.4f}" for number in row(name)) + " |"


@pytest.mark.parametrize("name", cases())
def test_the_table_says_what_is_measured(name: str) -> None:
    """To 0.0005, so that other versions of numpy and scipy may round as they like."""
    line = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert line, f"results/README.md lacks the row: {printed(name)}"
    said = [float(number) for number in line[1].split("|")]
    assert said == pytest.approx(row(name), abs=5e-4), f"results/README.md: the row is now {printed(name)}"


if __name__ == "__main__":
    for name in cases():
        print(printed(name))
