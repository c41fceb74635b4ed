from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import chisquare

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd_cells import Partition, Polar

RING = Mixture([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]], [0.02, 0.04, 0.02, 0.08], [1.0, 2.0, 3.0, 4.0])
LINE = Mixture([[-3.0], [5.0]], [0.2, 0.5])
TOUCHING = Mixture([[0.0, 0.0], [3.0, 0.0]], [1.0, 2.0])


def draw(mixture: Mixture, n: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mode = random.choice(mixture.modes, n, p=mixture.weights)
    return mixture.means[mode] + mixture.std[mode, None] * random.standard_normal((n, mixture.dimension))


def locate(cells: Partition, points: np.ndarray) -> np.ndarray:
    return cells.locate(Polar.of(points, cells.mixture))


@pytest.mark.parametrize(
    "mixture", [RING, LINE, TOUCHING, Mixture([[1.0]], 2.0)], ids=["ring", "line", "touching", "one"]
)
@pytest.mark.parametrize("n", [1, 50, 3_000, 10_000, 200_000])
def test_the_masses_sum_to_one_at_both_resolutions(mixture: Mixture, n: int) -> None:
    cells = Partition(mixture, n)
    assert cells.fine.sum() == pytest.approx(1, abs=1e-12)
    assert cells.coarse.sum() == pytest.approx(1, abs=1e-12)
    assert len(cells.coarse) * (4 if mixture.dimension == 2 else 2) == len(cells.fine)


def test_about_five_samples_of_the_data_fall_in_a_cell() -> None:
    expected = 10_000 * Partition(Mixture(RING.means, 0.02), 10_000).fine
    assert 4 < np.median(expected[expected > 3]) < 7


@pytest.mark.parametrize("mixture", [RING, LINE, TOUCHING], ids=["ring", "line", "touching"])
def test_samples_of_the_data_fall_as_the_masses_say(mixture: Mixture) -> None:
    """Chi-square over the cells that expect five or more; wrong once in a thousand seeds, and the seed is fixed."""
    n = 40_000
    cells = Partition(mixture, 10_000)
    counts = np.bincount(locate(cells, draw(mixture, n, seed=11)), minlength=len(cells.fine))
    usual = n * cells.fine >= 5
    observed = np.append(counts[usual], counts[~usual].sum())
    expected = np.append(n * cells.fine[usual], n * cells.fine[~usual].sum())
    assert chisquare(observed, expected).pvalue > 1e-3


def test_masses_are_exact_only_where_modes_are_apart() -> None:
    """Twelve std between equal modes, six of each between unequal ones."""
    assert Partition(RING, 1000).exact
    assert Partition(Mixture([[0.0, 0.0]], 3.0), 1000).exact
    assert Partition(Mixture([[0.0], [12.1]], 1.0), 1000).exact
    assert not Partition(Mixture([[0.0], [11.9]], 1.0), 1000).exact
    assert not Partition(Mixture([[0.0], [15.0]], [1.0, 2.0]), 1000).exact
    assert not Partition(Mixture([[0.0], [0.0]], 1.0), 1000).exact


def test_the_sampled_masses_are_those_of_the_shells_where_both_are_known() -> None:
    cells = Partition(RING, 10_000)
    sampled = cells._sampled_masses()
    usual = cells.fine > 1e-4
    z = (sampled - cells.fine)[usual] / np.sqrt(cells.fine[usual] / 1e6)
    assert np.abs(z).max() < 5
    assert z.std() == pytest.approx(1, abs=0.1)


def test_the_sampled_masses_are_the_same_each_time() -> None:
    state = np.random.get_state()[1].copy()
    assert np.array_equal(Partition(TOUCHING, 2_000).fine, Partition(TOUCHING, 2_000).fine)
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.fixture(scope="module")
def partitions() -> list[Partition]:
    return [Partition(mixture, 2_000) for mixture in (RING, LINE, TOUCHING)]


@settings(max_examples=200)
@given(
    st.integers(0, 2),
    st.lists(st.tuples(*2 * [st.floats(allow_nan=False, allow_infinity=False)]), min_size=1, max_size=20),
)
def test_every_finite_point_is_in_exactly_one_cell(
    partitions: list[Partition], which: int, points: list[tuple[float, float]]
) -> None:
    cells = partitions[which]
    cell = locate(cells, np.array(points)[:, : cells.mixture.dimension])
    assert cell.shape == (len(points),)
    assert ((cell >= 0) & (cell < len(cells.fine))).all()


def test_counts_are_of_every_point_once() -> None:
    cells, points = Partition(RING, 2_000), draw(RING, 2_000, seed=0)
    counts = cells.count(Polar.of(points, RING))
    assert counts.tolist() == np.bincount(locate(cells, points), minlength=len(cells.fine)).tolist()
    assert cells.count(Polar.of(points[:0], RING)).sum() == 0


def test_a_mode_is_the_nearest_in_its_own_std() -> None:
    """The cells of the definition, mode by mode, without the loop."""
    cells, points = Partition(RING, 3_000), 5 * np.random.default_rng(2).standard_normal((5_000, 2))
    mode = (cdist(points, RING.means) / RING.std).argmin(axis=1)
    assert np.array_equal(locate(cells, points) // (len(cells.fine) // RING.modes), mode)


def test_more_than_two_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or 2 dimensions, and these have 3"):
        Partition(Mixture([[0.0, 0.0, 0.0]], 1.0), 1000)
