"""Which seeds and evaluations are pictured: all of a small run, and of any run no more than fits."""

from __future__ import annotations

import torch

from ganbench.data.finite_set import Finite
from ganbench.run.data_view import data_view
from ganbench.run.picture_plan import POINTS, picture_plan, share
from ganbench.suite.load import load, parse
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset

SUITE = """
suite: many
seeds: [9, 4, 7, 2, 3, 8, 1, 0]
budget: {steps: 1000}
datasets: {ring8: ring}
variants: {it: {loss: minimax}}
references: []
"""


def planned(suite):
    """Each trained cell of a suite whose data are in the plane, and its plan."""
    cells = plan(suite)
    views = {name: data_view(name, build_dataset(choice), suite.steps) for name, choice in suite.datasets.items()}
    trained = (cell for cell in cells if cell.trained)
    return [(cell, picture_plan(cell, views[cell.dataset], share(cells))) for cell in trained]


def test_all_seeds_of_mog_are_shown_and_over_half_of_them_followed_at_all_evaluations(shipped):
    for cell, found in planned(load("suites/mog.yaml", shipped)):
        assert found.shown == set(cell.seeds)
        assert len(found.followed) > len(cell.seeds) / 2
        assert found.steps == set(cell.evaluations)


def test_where_not_all_fit_few_seeds_are_followed_and_the_end_is_always_there(shipped):
    suite = parse(SUITE, shipped)
    oracle, cell = plan(suite)
    view = data_view("ring8", build_dataset(oracle.data), suite.steps)
    followed = []
    for most in (10**7, 300_000, 100_000, 30_000, 10_000, 5_000):
        one = picture_plan(cell, view, most)
        ended, each = 4 * POINTS * len(one.shown), 4 * POINTS + 2 * 3600
        assert ended + len(one.followed) * len(one.steps) * each <= most * 1.1
        assert one.shown
        assert one.followed <= one.shown
        assert cell.steps in one.steps <= set(cell.evaluations)
        followed.append((len(one.shown), len(one.followed), len(one.steps)))
        assert one.followed == set(cell.seeds[: len(one.followed)])
    assert followed[0] == (8, 8, 10)
    assert followed[1] == (8, 3, 10)
    assert followed[2][1] == 3
    assert followed[-1] == (1, 0, 1)
    assert picture_plan(oracle, view, 10**7).shown == set(oracle.seeds)


def test_data_of_many_coordinates_are_seen_from_where_they_vary_most():
    """Without grid and density; what all points have in common does not count."""
    random = torch.Generator().manual_seed(0)
    rows = torch.randn(500, 5, generator=random) * torch.tensor([0.1, 3.0, 0.1, 1.0, 0.1]) + 7
    view = data_view("rows", Finite(rows, rows[:50]), 10)
    assert not view.on_grid
    assert view.picture.density is None
    torch.testing.assert_close(torch.from_numpy(abs(view.picture.axes[:, [1, 3]])), torch.eye(2), atol=0.05, rtol=0)
    assert view.points(rows).shape == (500, 2)
    assert abs(view.points(rows).mean()) < 0.2


def test_images_are_bytes_with_the_nearest_of_the_training_set():
    random = torch.Generator().manual_seed(0)
    training = torch.randint(256, (40, 1, 8, 8), generator=random, dtype=torch.uint8)
    view = data_view("images", Finite(training, training[:5]), 10)
    assert view.of_images
    shown = training[:3].float() / 127.5 - 1
    images, distances = view.nearest(shown + 0.01)
    assert (images == training[:3].numpy()).all()
    assert abs(distances - 0.01).max() < 1e-4
    assert (view.as_bytes(shown) == training[:3].numpy()).all()
