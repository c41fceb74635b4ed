from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ganbench.metrics import points as module
from ganbench.metrics.points import (
    as_points,
    distances,
    finite,
    from_tensor,
    nearest,
    nearest_other,
    sample_and_real,
    shuffled,
)

DIMENSIONS = [1, 2, module.FLAT, module.FLAT + 1, 64]


def cloud(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + 5


def test_samples_of_any_shape_and_type_are_rows() -> None:
    image = torch.arange(24, dtype=torch.bfloat16).reshape(2, 3, 2, 2).requires_grad_()
    assert from_tensor(image).tolist() == np.arange(24.0).reshape(2, 12).tolist()
    assert as_points(np.arange(3)).shape == (3, 1)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_distances_are_those_of_scipy_in_any_dimension(d: int) -> None:
    a, b = cloud(30, d), cloud(40, d, seed=1)
    truth = cdist(a, b)
    assert distances(a, b) == pytest.approx(truth, rel=1e-9)
    assert nearest(a, b) == pytest.approx(truth.min(axis=1), rel=1e-9)
    own = cdist(a, a)
    np.fill_diagonal(own, np.inf)
    assert nearest_other(a) == pytest.approx(own.min(axis=1), rel=1e-9)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = cloud(30, 64), cloud(40, 64, seed=1)
    whole = nearest(a, b), nearest_other(a)
    monkeypatch.setattr(module, "DISTANCES", 100)
    monkeypatch.setattr(module, "HELD", 64 * 7)
    assert nearest(a, b) == pytest.approx(whole[0])
    assert nearest_other(a) == pytest.approx(whole[1])


@pytest.mark.parametrize("d", DIMENSIONS)
def test_repeated_points_are_no_distance_apart_and_a_lone_one_is_far(d: int) -> None:
    twice = np.repeat(cloud(5, d), 2, axis=0)
    assert nearest_other(twice) == pytest.approx(np.zeros(10), abs=1e-6)
    assert nearest_other(twice[:1]).tolist() == [np.inf]
    assert nearest_other(twice[:0]).tolist() == []


def test_what_cannot_be_squared_is_not_finite() -> None:
    rows = np.array([[0, 1], [np.nan, 0], [0, np.inf], [1e200, 0], [-1e200, 0]], dtype=float)
    assert finite(rows).tolist() == [[0, 1]]


def test_a_choice_among_points_is_always_the_same_and_of_distinct_rows() -> None:
    rows = np.arange(100.0)[:, None]
    assert (shuffled(rows, 30) == shuffled(rows, 30)).all()
    assert len(np.unique(shuffled(rows, 30))) == 30
    assert sorted(shuffled(rows, 1000).ravel()) == list(range(100))


@pytest.mark.parametrize(
    ("samples", "real", "says"),
    [
        (np.zeros((0, 2)), np.zeros((5, 2)), r"shape \(n, \*shape\), n above 0, not \(0, 2\)"),
        (np.float64(1.0), np.zeros((5, 2)), r"not \(\)"),
        (np.zeros((5, 3)), np.zeros((5, 2)), "a sample has 3 coordinates and a real one 2"),
        (np.zeros((5, 2)), np.full((5, 2), np.nan), "the real samples must all be finite"),
    ],
)
def test_what_are_no_samples_says_so(samples: np.ndarray, real: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sample_and_real(samples, real)
