"""The estimators that are ranked: others' are what their papers say, and the page shows the table."""

import numpy as np
import pytest
from estimators import ESTIMATORS, LOG2, histogram, peer, polygraph
from estimators_table import FILE, each_pair, ranking, read

from ganbench.data.mixture import Mixture

LINE = Mixture([[0.0]], 1.0)


def two(by, n=2000):
    random = np.random.default_rng(0)
    return random.standard_normal((n, 1)) + by, random.standard_normal((n, 1))


@pytest.mark.parametrize("estimate", [histogram, polygraph])
def test_what_has_nothing_in_common_reads_all_and_what_is_the_same_next_to_nothing(estimate):
    assert estimate(*two(30), LINE) == pytest.approx(LOG2, abs=0.01)
    assert estimate(*two(0), LINE) == pytest.approx(0, abs=0.02)


def test_the_bound_of_a_classifier_is_below_the_truth():
    """0.5268 for a shift of 3 std; a standard error of its 2,000 tested rows is 0.01."""
    assert 0.40 < polygraph(*two(3), LINE) < 0.55


def test_the_histogram_is_exact_where_the_cells_are_the_points():
    one, other = np.repeat([[0.0], [1.0]], [75, 25], axis=0), np.repeat([[0.0], [1.0]], [25, 75], axis=0)
    assert histogram(one, other, LINE) == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


def test_the_package_reads_a_shift():
    pytest.importorskip("jensenshannondivergence")
    assert peer(*two(30, n=400), LINE) == pytest.approx(LOG2, abs=0.1)


def test_the_page_shows_the_tables():
    page = (FILE.parent / "estimators.md").read_text(encoding="utf-8")
    readings = read(FILE)
    assert {each.estimator for each in readings} >= {each.name for each in ESTIMATORS if not each.needs}
    for line in (*ranking(readings), *each_pair(readings)):
        assert line in page
