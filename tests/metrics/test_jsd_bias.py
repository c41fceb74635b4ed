from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from ganbench.metrics.jsd_bias import Terms, term

N = np.arange(1500)


def corrected(lam: float) -> np.ndarray:
    return Terms(np.array([lam]))(np.zeros(len(N), dtype=int), N.astype(float))


def test_terms_at_their_ends() -> None:
    assert term(np.array(3.0), np.array(3.0)) == 0
    assert term(np.array(3.0), np.array(0.0)) == pytest.approx(1.5 * math.log(2))
    assert term(np.array(0.0), np.array(4.0)) == pytest.approx(2 * math.log(2))
    assert term(np.array(0.0), np.array(0.0)) == 0


@pytest.mark.parametrize("lam", [0.2, 1.0, 3.0, 5.0, 10.0, 30.0, 60.0, 100.0])
@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0, 2.0, 5.0])
def test_the_mean_over_poisson_counts_is_the_term(lam: float, ratio: float) -> None:
    """To 0.035, of either sign, where the plain term is off by up to 1/4 and always upwards."""
    mean = poisson.pmf(N, lam * ratio) @ corrected(lam)
    assert mean == pytest.approx(float(term(np.array(lam), np.array(lam * ratio))), abs=0.035)


@pytest.mark.parametrize("lam", [2.0, 5.0, 20.0, 100.0])
def test_agreement_reads_zero_and_not_an_eighth(lam: float) -> None:
    chances = poisson.pmf(N, lam)
    assert chances @ term(np.array(lam), N) == pytest.approx(1 / 8, abs=0.05)
    assert chances @ corrected(lam) == pytest.approx(0, abs=0.012)


@pytest.mark.parametrize("lam", [0.0, 0.01, 0.3, 5.0, 59.0, 500.0])
def test_an_empty_cell_keeps_its_term_exactly(lam: float) -> None:
    assert Terms(np.array([lam])).empty[0] == pytest.approx(lam * math.log(2) / 2, abs=1e-12)


def test_the_table_goes_over_into_the_first_order_correction() -> None:
    values = corrected(40.0)
    steps = np.diff(values[100:220])
    assert np.abs(np.diff(steps)).max() < 0.05


def test_cells_of_all_kinds_are_each_as_if_alone() -> None:
    """Few, some and many expected, in any order; counts within the tables and beyond."""
    lam, n = np.array([0.01, 5.0, 0.3, 500.0, 40.0]), np.array([0.0, 3.0, 159.0, 160.0, 700.0])
    cell, count = (grid.ravel() for grid in np.meshgrid(np.arange(len(lam)), n))
    together = Terms(lam)(cell, count)
    alone = [Terms(lam[[k]])(np.array([0]), np.array([x]))[0] for k, x in zip(cell, count, strict=True)]
    assert together == pytest.approx(alone, rel=1e-12)
    assert Terms(lam)(cell[:0], count[:0]).shape == (0,)
