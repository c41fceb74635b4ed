from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from ganbench.data.mixture import Mixture
from ganbench.metrics.duplicates import repeated

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
    assert again.sum() == 5


@pytest.mark.parametrize("means", [[0.0], [4.0], [-3.0, 0.0, 4.0]])
@pytest.mark.parametrize("n", [1_600, 3_200, 10_000])
def test_float32_samples_of_a_line_repeat_nothing(means: list[float], n: int) -> None:
    """Near zero too, where float32 could be finer than the sum that it rounds. Wrong in less than one sample of 100."""
    line = Mixture([[mean] for mean in means], 0.5)
    samples = [line.sample(n, torch.Generator().manual_seed(seed)).numpy() for seed in range(60)]
    assert sum(repeated(rows, line.log_density).any() for rows in samples) <= 3


def test_many_pairs_on_a_line_are_no_chance() -> None:
    line = Mixture([[4.0]], 0.5)
    rows = line.sample(5_000, torch.Generator().manual_seed(0)).numpy()[RANDOM.integers(0, 5_000, 10_000)]
    assert repeated(rows, line.log_density).mean() > 0.6


def test_what_is_not_finite_repeats_nothing() -> None:
    rows = np.array([[np.nan, 0.0], [np.nan, 0.0], [np.inf, 1.0], [np.inf, 1.0], [0.5, np.inf], [0.5, np.inf]])
    assert not repeated(rows, density).any()


def test_zero_is_zero_whatever_its_sign() -> None:
    assert repeated(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]]), density).tolist() == [True, True, False]


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_either_type_and_of_any_length_are_compared_whole(dimension: int, dtype: type) -> None:
    """All coordinates but one are shared by all; and which one makes no difference."""
    for own in range(dimension):
        rows = np.zeros((50, dimension), dtype=dtype)
        rows[:, own] = np.arange(50)
        rows[7] = rows[3]
        again = repeated(rows, lambda x: np.full(len(x), -100.0))
        assert np.flatnonzero(again).tolist() == [3, 7]
