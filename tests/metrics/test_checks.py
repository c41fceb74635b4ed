"""The fifteen checks: what should passes them, the data sets are what they say, and the page shows the table."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from checks import BOTH, BOUNDS, CHECKS, DIVERSITY, FIDELITY, MEASURES, PURPOSE, Measure, bell, level, rising, verdict
from checks_table import MEASURED, SUITES, read, table

from ganbench.data.soundness import check_soundness
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Dataset
from ganbench.suite.load import find, load


@pytest.fixture(scope="module")
def registry():
    return Registry.load([find("checks/sweeps").parent / "plugins"])


@pytest.fixture(scope="module")
def built(registry):
    """All data sets of the suites, by name."""
    suites = [load(find(f"checks/{name}"), registry) for name in SUITES]
    return {
        name: choice.plugin(Dataset).build(**choice.parameters)
        for suite in suites
        for name, choice in suite.datasets.items()
    }


def test_no_file_beside_the_suites_is_a_broken_plugin(registry):
    """`ganbench list --plugins` would name it."""
    folder = find("checks/sweeps").parent / "plugins"
    assert not [broken.source for broken in registry.broken if Path(broken.source).is_relative_to(folder)]


def drawn(distribution, n=4000):
    return distribution.sample(n, torch.Generator().manual_seed(0)).double().numpy()


def test_the_fifteen_checks_are_all_of_the_suites_data_sets(registry):
    named = {choice.name for name in SUITES for choice in load(find(f"checks/{name}"), registry).datasets.values()}
    assert named == {check.dataset.partition(" ")[0] for check in CHECKS}
    assert len({check.title for check in CHECKS}) == 15


def test_every_data_set_and_counterpart_is_sound_and_of_one_shape(built):
    for name, data in built.items():
        assert len(data.counterparts) in (1, 10), name
        for each in (data, *data.counterparts):
            assert tuple(each.shape) == tuple(data.shape), name
            check_soundness(each)


def test_the_fifth_of_a_sweep_about_the_middle_is_the_data_itself(built):
    for name in ("mean-1", "mean-64", "std-8", "surface-16", "pareto", "invented"):
        np.testing.assert_allclose(drawn(built[name].counterparts[4]), drawn(built[name]), rtol=1e-6)


def test_a_fifth_of_each_cube_is_within_its_counterpart(built):
    for name in ("cubes-1", "cubes-8", "cubes-64"):
        moved = built[name].counterparts[0]
        assert (drawn(moved) <= 1).all(axis=1).mean() == pytest.approx(0.2, abs=0.03)
        assert (drawn(moved) >= 1 - 0.2 ** (1 / moved.shape[0])).all()


def test_just_one_row_is_the_outlier(built):
    data, other = built["outlier-data-8"], built["outlier-synthetic-8"]
    for each in (data, *other.counterparts):
        assert (drawn(each) == 3.0).all(axis=1).sum() == 1
    assert not (drawn(other) == 3.0).all(axis=1).any()


def test_the_ball_is_in_the_hole_of_the_torus(built):
    data = built["ball-and-torus-ball"]
    assert np.linalg.norm(drawn(data), axis=1).max() <= 0.8
    ring = drawn(data.counterparts[0])
    assert np.linalg.norm(ring[:, :2], axis=1).min() >= 0.9
    assert np.abs(ring[:, 2]).max() <= 0.1
    # Uniform in the disc: a quarter of it is within half of the radius.
    tube = np.hypot(np.linalg.norm(ring[:, :2], axis=1) - 1, ring[:, 2])
    assert (tube <= 0.05).mean() == pytest.approx(0.25, abs=0.03)


def test_a_set_of_fixed_size_has_as_many_points_for_every_seed(built):
    assert built["cubes-of-1000-8"].held_out.shape == (1000, 8)
    assert not hasattr(built["cubes-8"], "held_out")


def test_a_data_set_without_so_many_counterparts_says_what_to_do(gb, tmp_path, monkeypatch):
    folder = find("checks/sweeps").parent / "plugins"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.yaml").write_text(
        "suite: few\nseeds: 1\nbudget: {steps: 1}\nevaluate: {samples: 100}\ndatasets: {c: check-cubes}\n"
        "references: [counterpart-1]\nvariants: {}\nmetrics: [prdc]\n"
    )
    _, out, err = gb("run", "few.yaml", "--plugins", folder)
    assert "the data has 1 counterparts, and counterpart-1 is one more: name counterpart-0" in out + err


def test_a_bell_is_highest_in_the_middle():
    assert bell(2, np.array([0.0, 0.5, 1.0, 0.5, 0.0]))
    assert bell(2, np.array([0.5, 0.5, 1.0, 0.5, 0.0]))  # of the ends one may be higher
    assert not bell(2, np.array([0.0, 1.2, 1.0, 0.5, 0.0]))
    assert not bell(2, np.array([0.9, 0.5, 1.0, 0.5, 0.0]))
    assert not bell(2, np.array([0.5, 0.2, 1.0, 0.2, 0.5]))


def test_a_rise_and_a_level_are_what_they_say():
    assert rising(np.array([0.0, 0.5, 1.0]))
    assert not rising(np.array([0.0, 0.1, 0.19]))
    assert not rising(np.array([0.2, 0.0, 1.0]))
    assert level(np.array([0.5, 0.549, 0.52]))
    assert not level(np.array([0.5, 0.56]))


def asked(title, heading, claims):
    (check,) = (check for check in CHECKS if check.title == title)
    return check.asks[heading][claims]


def test_of_samples_too_wide_a_diversity_may_read_all_or_nothing_but_no_half():
    wide = asked("std", BOUNDS, DIVERSITY)
    middle = np.ones(10)
    for last, expected in ((1.0, "high"), (0.0, "low"), (0.5, False)):
        y = np.array([0.0, *middle[:8], last])
        assert verdict(wide, y) == expected
    # The shape is a bell for one and a rise for the other.
    assert verdict(asked("std", PURPOSE, DIVERSITY), np.array([0, 0, 0, 0.5, 1, 1, 1, 1, 1, 1])) == "high"
    assert verdict(asked("std", PURPOSE, BOTH), np.array([0, 0, 0, 0.5, 1, 1, 1, 1, 1, 1])) is False


def test_a_perfect_measure_of_lost_modes_passes_and_its_opposite_fails():
    kept = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    for heading in (PURPOSE, BOUNDS):
        assert verdict(asked("modes lost one by one", heading, DIVERSITY), kept) is True
        assert verdict(asked("modes lost one by one", heading, FIDELITY), np.ones(10)) is True
    assert verdict(asked("modes lost one by one", PURPOSE, FIDELITY), kept) is False
    assert verdict(asked("modes lost one by one", PURPOSE, DIVERSITY), np.ones(10)) is False


def test_readings_are_put_on_the_scale_of_their_bounds_or_of_their_sweep():
    jsd = next(measure for measure in MEASURES if measure.column == "jsd")
    np.testing.assert_allclose(jsd.agreement(np.array([0.0, math.log(2) / 2, math.log(2)])), [1, 0.5, 0], atol=1e-12)
    distance = Measure("distance", BOTH, 0.0, None)
    np.testing.assert_allclose(distance.agreement(np.array([4.0, 1.0, 0.0])), [0, 0.75, 1])
    np.testing.assert_allclose(distance.agreement(np.zeros(3)), 1)
    ratio = Measure("ratio", FIDELITY, 0.0, None, both_ways=True)
    np.testing.assert_allclose(ratio.agreement(np.array([0.1, 1.0, 10.0])), [0, 1, 0], atol=1e-12)
    likelihood = Measure("likelihood", BOTH, None, None)
    np.testing.assert_allclose(likelihood.agreement(np.array([-8.0, -2.0, -5.0])), [0, 1, 0.5])


def test_the_page_shows_the_table():
    page = (MEASURED / "checks.md").read_text(encoding="utf-8")
    rows = read(MEASURED / "checks.csv")
    assert {row.measure for row in rows} == {measure.column for measure in MEASURES}
    for line in table(rows):
        assert line in page
