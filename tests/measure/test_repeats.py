from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ganbench.measure.repeats import repeated

RANDOM = np.random.default_rng(6)


def density(x: np.ndarray) -> np.ndarray:
    return norm.logpdf(x).sum(axis=1)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_every_row_drawn_twice_is_found_and_no_other(dimension: int) -> None:
    rows = RANDOM.standard_normal((1000, dimension))
    again = repeated(np.concatenate([rows, rows[:300]]), density)
    assert again[:300].all()
    assert again[1000:].all()
    assert not again[300:1000].any()


def test_sharing_one_coordinate_is_no_repeat() -> None:
    rows = RANDOM.standard_normal((1000, 2))
    rows[:, 0] = np.round(rows[:, 0])
    assert not repeated(rows, density).any()


def test_chance_is_told_from_atoms() -> None:
    """40,000 float32 numbers: some twenty pairs by chance, but never five of a kind."""
    rows = RANDOM.standard_normal((40_000, 1)).astype(np.float32)
    assert len(np.unique(rows)) < 39_990
    rows[:5] = 0.25
    again = repeated(rows, density)
    assert again[:5].all()
    assert again.sum() <= 5 + 40  # 1 in 40,000 each, and twice as many for a pair


def test_what_is_not_finite_repeats_nothing() -> None:
    rows = np.array([[np.nan, 0.0], [np.nan, 0.0], [np.inf, 1.0], [np.inf, 1.0], [0.5, np.inf], [0.5, np.inf]])
    assert not repeated(rows, density).any()


def test_zero_is_zero_whatever_its_sign() -> None:
    assert repeated(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]]), density).tolist() == [True, True, False]
