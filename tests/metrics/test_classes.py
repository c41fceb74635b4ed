from __future__ import annotations

import math

import numpy as np
import pytest

from ganbench.metrics.classes import count_classes

EVEN = np.full(1000, 1e-3)


@pytest.mark.parametrize(("n", "covered", "kl"), [(10_000, 999.95, 0.0509), (26_000, 1000.0, 0.0193)])
def test_the_floor_is_that_of_a_perfect_sampler(n, covered, kl):
    """Known from 200 simulated samplers; near (classes - 1) / 2n."""
    found = count_classes(np.zeros(n, dtype=int), EVEN)
    assert found.expected_covered == pytest.approx(covered, abs=0.01)
    assert found.expected_kl == pytest.approx(kl, abs=1e-4)
    assert found.expected_kl == pytest.approx(999 / 2 / n, rel=0.03)


@pytest.mark.parametrize("n", [3, 200, 5000])
def test_samplers_of_the_data_read_the_floor_on_average(n):
    """Of uneven classes; 100 samplers, three standard errors: 1 wrong in 200 such tests, and the seeds are fixed."""
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.full(50, 0.5))
    found = [count_classes(random.choice(50, n, p=shares), shares) for _ in range(100)]
    for read, floor in ((lambda f: f.kl, found[0].expected_kl), (lambda f: f.covered, found[0].expected_covered)):
        values = np.array([read(one) for one in found])
        assert abs(values.mean() - floor) <= 3 * values.std() / 10 + 1e-12


def test_known_answers():
    assert count_classes(np.array([0, 0, 0]), np.array([0.25, 0.75])).kl == pytest.approx(math.log(4))
    even = count_classes(np.array([0, 1, 1, 1]), np.array([0.25, 0.75]))
    assert (even.total, even.covered, even.kl) == (2, 2, 0.0)


def test_what_is_of_no_class_is_not_counted():
    found = count_classes(np.array([-1, 1, -1]), np.array([0.5, 0.5]))
    assert (found.covered, found.kl) == (1, pytest.approx(math.log(2)))
    nothing = count_classes(np.array([-1]), np.array([0.5, 0.5]))
    assert (nothing.covered, nothing.kl) == (0, math.inf)


@pytest.mark.parametrize("labels", [[], [2], [[0]]])
def test_labels_that_make_no_sense_are_refused(labels):
    with pytest.raises(ValueError, match="below 2"):
        count_classes(np.array(labels, dtype=int), np.array([0.5, 0.5]))
