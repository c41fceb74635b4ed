"""Shifts: found where they are, and seldom where they are not. Rates are simulated, from fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ganbench.stats.change_points import LEAST, LEVEL, shifts

SERIES = 1000
#: How long a series is, where it shifts, by how many standard deviations, and how often that is found at least, within
#: two places: measured with 400 series, less 3 standard errors.
POWERS = [(10, 5, 5, 0.97), (16, 8, 3, 0.87), (20, 10, 3, 0.95), (20, 14, 3, 0.85), (30, 22, 3, 0.9), (60, 54, 3, 0.84)]


def noise(n: int, count: int = SERIES, seed: int = 0, *, kind: str = "normal") -> np.ndarray:
    random = np.random.default_rng([seed, n])
    return random.standard_t(2, (count, n)) if kind == "heavy" else random.standard_normal((count, n))


@pytest.mark.parametrize("kind", ["normal", "heavy"])
@pytest.mark.parametrize("n", [10, 15, 30, 60])
def test_noise_shifts_in_one_series_of_a_hundred(n, kind):
    """A right test fails here with a probability of 0.1 %: 1.9 % is 3 standard errors above the level."""
    found = sum(bool(shifts(series)) for series in noise(n, kind=kind))
    assert found / SERIES <= LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / SERIES)


@pytest.mark.parametrize(("n", "place", "size", "power"), POWERS)
def test_a_shift_is_found_where_it_is(n, place, size, power):
    data = noise(n, 400, seed=1)
    data[:, place:] += size
    found = [shifts(series) for series in data]
    assert sum(any(abs(shift.place - place) <= 2 for shift in one) for one in found) / len(found) >= power


def test_two_shifts_are_two_with_the_level_between():
    data = noise(45, 1, seed=2)[0] * 0.1
    data[15:30] += 1
    found = shifts(data)
    assert [shift.place for shift in found] == [15, 30]
    assert found[0].size == pytest.approx(1, abs=0.1)
    assert found[1].size == pytest.approx(-1, abs=0.1)
    assert found[0].after == found[1].before == np.median(data[15:30])
    assert all(shift.p <= LEVEL for shift in found)


def test_an_outlier_is_no_shift_and_neither_is_a_trend_of_two():
    data = noise(30, 1, seed=3)[0]
    data[20] = 1e6
    assert not shifts(data)
    data[-2:] = 1e6
    assert not shifts(data), f"fewer than {LEAST} values are no level"


def test_the_order_decides_and_units_do_not():
    data = np.concatenate([np.arange(10), np.arange(10) + 20.0])
    assert [shift.place for shift in shifts(data)] == [10]
    assert [shift.place for shift in shifts(1e-9 * data - 5)] == [10]
    assert not shifts(np.random.default_rng(0).permutation(data))


def test_infinities_are_values():
    found = shifts([1.0, 2, 1, 3, 2, 1, 2, *[math.inf] * 7])
    assert [(shift.place, shift.before, shift.after, shift.size) for shift in found] == [(7, 2, math.inf, math.inf)]


@pytest.mark.parametrize("data", [[], [1.0], [1.0, 2.0] * 4, [3.0] * 50, [math.inf] * 20, [1.0] * 4 + [2.0] * 4])
def test_few_values_and_equal_ones_have_no_shift(data):
    assert shifts(data) == ()


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN has no rank"):
        shifts([1.0, math.nan] * 10)


def test_a_long_series_is_no_long_wait():
    data = noise(3000, 1, seed=4)[0]
    data[2000:] += 2
    assert [shift.place for shift in shifts(data)] == [pytest.approx(2000, abs=2)]
