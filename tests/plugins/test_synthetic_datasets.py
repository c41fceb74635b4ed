from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import chi2, chisquare, ks_2samp, kstest, multivariate_t, poisson
from scipy.stats import f as f_distribution
from scipy.stats import t as student
from sklearn.datasets import make_moons, make_swiss_roll

from ganbench import Dataset, Mixture
from ganbench.metrics.mass import mass
from ganbench.metrics.modes import nearest_mode

FOLDER = Path(__file__).parents[2] / "plugins" / "datasets"
FILES = (
    "anisotropic",
    "checkerboard",
    "curves",
    "dirac",
    "gaussians_1d",
    "high_dimensional",
    "pacgan_1200d",
    "pinwheel",
    "presets",
    "rare_modes",
    "rotated_grid",
    "student_t",
    "turning_ring",
    "uneven_ring",
)
DATASETS: dict[str, Dataset] = {
    value.name: value for file in FILES for value in runpy.run_path(str(FOLDER / f"{file}.py"))["ganbench_datasets"]()
}
PRESETS = [name for name in DATASETS if name.split("-")[0] in ("ring", "grid", "line")]
PLANE = ("anisotropic", "checkerboard", "moons", "pinwheel", "student-t", "swiss-roll")
SIGNIFICANT = 1e-4  # how often each goodness-of-fit test would fail with another seed, the data being right


def build(name: str, **parameters: Any) -> Any:
    return DATASETS[name].build(**parameters)


def draw(data: Any, n: int, seed: int = 0) -> np.ndarray:
    return data.sample(n, torch.Generator().manual_seed(seed)).double().numpy()


def cells(data: Any, low: float, high: float, across: int, within: int) -> np.ndarray:
    """The mass in each of ``across`` x ``across`` squares, by the midpoint rule of ``within`` x ``within`` in each."""
    n = across * within
    axis = low + (high - low) / n * (np.arange(n) + 0.5)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(data.log_density(points)) * ((high - low) / n) ** 2
    return density.reshape(across, within, across, within).sum(axis=(1, 3))


def gaps(means: np.ndarray) -> np.ndarray:
    """Each mode's distance to the nearest of the others, the smallest first."""
    apart = cdist(means, means)
    np.fill_diagonal(apart, np.inf)
    return np.sort(apart.min(axis=1))


@pytest.mark.parametrize(
    ("name", "parameters", "reach", "within"),
    [
        ("anisotropic", {"across": 0.1}, 4.0, 10),
        ("anisotropic", {"modes": 3, "along": 0.5, "across": 0.2, "lean": 0.0}, 5.0, 8),
        ("checkerboard", {}, 4.0, 4),
        ("checkerboard", {"side": 0.7}, 1.4, 4),
        ("moons", {}, 3.0, 8),
        ("moons", {"noise": 0.5}, 5.0, 4),
        ("pinwheel", {}, 5.5, 12),
        ("pinwheel", {"arms": 3, "scale": 1.0, "rate": 0.5}, 3.0, 12),
        ("swiss-roll", {}, 2.5, 10),
        ("student-t", {"scale": 0.2, "freedom": 6.0}, 6.0, 6),
        ("ring-ffjord", {}, 6.0, 6),
    ],
)
def test_the_density_integrates_to_one_and_samples_follow_it(
    name: str, parameters: dict[str, Any], reach: float, within: int
) -> None:
    """By quadrature on a grid, and by a chi-square test of the counts in its 24 x 24 squares, and beyond them."""
    data, n = build(name, **parameters), 40_000
    share = cells(data, -reach, reach, 24, within).ravel()
    beyond = 1 - share.sum()
    assert abs(beyond) < (1e-3 if name == "student-t" else 1e-5)
    counts = np.histogramdd(draw(data, n), bins=24, range=[(-reach, reach)] * 2)[0].ravel()
    full = n * share >= 5
    seen, expected = counts[full], n * share[full]
    assert chisquare(seen, expected * seen.sum() / expected.sum()).pvalue > SIGNIFICANT
    # Where hardly any sample is expected there are hardly any, neither too few nor too many.
    few, rare = n - seen.sum(), n * max(1 - share[full].sum(), 0.0)
    assert poisson.cdf(few, rare) > SIGNIFICANT / 2
    assert poisson.sf(few - 1, rare) > SIGNIFICANT / 2


def test_moons_and_roll_are_scikit_learns() -> None:
    """Either coordinate, and their sum, by a Kolmogorov-Smirnov test of two samples."""
    moons, roll = (
        make_moons(20_000, noise=0.1, random_state=0)[0],
        make_swiss_roll(20_000, noise=0.25, random_state=0)[0],
    )
    for name, theirs in (("moons", moons), ("swiss-roll", roll[:, [0, 2]] / 7.5)):
        ours = draw(build(name), 20_000)
        for direction in ([1, 0], [0, 1], [1, 1]):
            assert ks_2samp(ours @ direction, theirs @ direction).pvalue > SIGNIFICANT


def test_the_thin_modes_of_the_anisotropic_ring_are_gaussians_of_its_stds_and_directions() -> None:
    data = build("anisotropic")
    samples, n = draw(data, 20_000), 20_000
    apart = samples[:, None] - data.means
    mode = (apart**2).sum(axis=2).argmin(axis=1)
    turn = 2 * math.pi * mode / 8 + math.pi / 4
    x, y = apart[np.arange(n), mode].T
    along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    assert kstest(along / 0.2, "norm").pvalue > SIGNIFICANT
    assert kstest(across / 0.02, "norm").pvalue > SIGNIFICANT
    assert chisquare(np.bincount(mode, minlength=8)).pvalue > SIGNIFICANT
    assert np.linalg.norm(data.means, axis=1) == pytest.approx(np.full(8, 2.0))


@pytest.mark.parametrize("freedom", [1.0, 3.0, 30.0])
def test_student_t_modes_have_the_tails_of_their_freedom(freedom: float) -> None:
    """The radius' law, and one coordinate's, which is Student's own t, against scipy's; the density against its too."""
    data = build("student-t", modes=1, radius=1.0, scale=0.5, freedom=freedom)
    apart = (draw(data, 20_000) - [1.0, 0.0]) / 0.5
    assert kstest((apart**2).sum(axis=1) / 2, f_distribution(2, freedom).cdf).pvalue > SIGNIFICANT
    assert kstest(apart[:, 1], student(freedom).cdf).pvalue > SIGNIFICANT
    points = np.random.default_rng(0).normal(size=(50, 2)) * 3
    scipys = multivariate_t([1.0, 0.0], 0.25 * np.eye(2), df=freedom).logpdf(points)
    assert data.log_density(points) == pytest.approx(scipys, rel=1e-10)


def test_modes_that_are_round_are_a_mixture() -> None:
    """A quarter turn of the plane, and equal stds: the anisotropic density is the ring's then."""
    points = draw(build("ring-ffjord"), 100)
    radius, std = 4 / 1.414, 0.5 / 1.414
    round_ones = build("anisotropic", radius=radius, along=std, across=std)
    assert round_ones.log_density(points) == pytest.approx(build("ring-ffjord").log_density(points), rel=1e-10)


def test_densities_far_from_the_data_are_numbers_or_nothing() -> None:
    far = np.array([[1e6, -1e6], [1e30, 1e30], [0.0, 1e6]])
    for name in PLANE:
        log_density = build(name).log_density(far)
        assert (log_density < -20).all()
        assert log_density.dtype == np.float64
        assert log_density.shape == (3,)


def test_checkerboard_samples_are_never_on_an_edge() -> None:
    """Whatever float32 rounds: a sample without density would make a likelihood infinite."""
    for side in (2.0, 0.7, 1 / 3, 1e5):
        data = build("checkerboard", side=side)
        assert np.isfinite(data.log_density(draw(data, 200_000))).all()
    board = build("checkerboard", side=1.0)
    squares = {tuple(square) for square in np.floor(draw(board, 1000)).astype(int).tolist()}
    assert squares == {(column, row) for column in range(-2, 2) for row in range(-2, 2) if (column + row) % 2 == 0}


def test_the_seven_modes_of_the_unrolled_demo_are_what_its_linspace_gives() -> None:
    """Eight places of equal weight, two of them the same: the law is that of seven, one of double weight."""
    angles = np.linspace(0, 2 * math.pi, 8)
    eight = Mixture(np.column_stack([np.cos(angles), np.sin(angles)]), 0.01)
    seven = build("ring-unrolled-7")
    assert (seven.modes, seven.weights.tolist()) == (7, [0.25] + [0.125] * 6)
    points = draw(seven, 1000)
    assert seven.log_density(points) == pytest.approx(eight.log_density(points), abs=1e-8)


@pytest.mark.parametrize(
    ("name", "modes", "radius", "std"),
    [
        ("ring-pacgan", 8, 1.0, 0.01),
        ("ring-bures", 8, 2.5, 0.01),
        ("ring-wgan-gp", 8, 2 / 1.414, 0.02 / 1.414),
        ("ring-ffjord", 8, 4 / 1.414, 0.5 / 1.414),
        ("ring-presgan", 10, 3.0, 0.05),
        ("ring-unrolled-7", 7, 1.0, 0.01),
    ],
)
def test_published_rings(name: str, modes: int, radius: float, std: float) -> None:
    ring = build(name)
    assert np.linalg.norm(ring.means, axis=1) == pytest.approx(np.full(modes, radius))
    assert gaps(ring.means)[0] == pytest.approx(2 * radius * math.sin(math.pi / modes))
    assert ring.std == pytest.approx(np.full(modes, std))


@pytest.mark.parametrize(
    ("name", "places", "std"),
    [
        ("grid-pacgan", np.linspace(-4, 4, 5), 0.05),
        ("grid-bourgan", np.linspace(-4, 4, 5), math.sqrt(0.01)),
        ("grid-wgan-gp", 2 * np.arange(-2, 3) / 2.828, 0.05 / 2.828),
        ("grid-particlegan-100", np.arange(10) - 4.5, 0.03),
    ],
)
def test_published_grids(name: str, places: np.ndarray, std: float) -> None:
    grid = build(name)
    wanted = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)
    assert grid.means == pytest.approx(wanted)
    assert grid.std == pytest.approx(np.full(len(wanted), std))


def test_published_lines() -> None:
    """The mean and the variance of f-GAN's two, whose best Gaussian by KL has N(1.0100, 1.8304)."""
    two, five = build("line-f-gan"), build("line-mad-gan")
    mean = two.weights @ two.means[:, 0]
    assert mean == pytest.approx(1.01)
    assert math.sqrt(two.weights @ ((two.means[:, 0] - mean) ** 2 + two.std**2)) == pytest.approx(1.8304, abs=5e-5)
    assert (five.means[:, 0].tolist(), five.std.tolist()) == ([10, 20, 60, 80, 110], [3, 3, 2, 2, 1])


def test_grids_turned_and_staggered_are_the_published_ones_and_centred() -> None:
    """All a unit apart but for the staggered rows, whose modes have their neighbours at hypot(0.85, 0.5)."""
    for kind in ("rotated", "staggered"):
        grid, preset = build(f"{kind}-grid"), build(f"grid-particlegan-{kind}-100")
        assert grid.means == pytest.approx(preset.means)
        assert grid.means.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
        assert grid.modes == 100
    straight = build("grid-particlegan-100").means
    assert np.linalg.norm(build("rotated-grid").means, axis=1) == pytest.approx(np.linalg.norm(straight, axis=1))
    assert gaps(build("rotated-grid").means)[0] == pytest.approx(1.0)
    assert gaps(build("staggered-grid").means)[0] == pytest.approx(math.hypot(0.85, 0.5))
    quarter = build("rotated-grid", side=3, degrees=90.0).means
    assert sorted(map(tuple, quarter.round(9) + 0.0)) == sorted(
        map(tuple, build("rotated-grid", side=3, degrees=0.0).means)
    )


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_no_parameters_and_say_their_source_in_one_line(name: str) -> None:
    first = (DATASETS[name].build.__doc__ or "").splitlines()[0]
    assert not DATASETS[name].build.__kwdefaults__
    assert "arXiv:" in first or "ParticleGAN" in first
    assert len(first) <= 118


@pytest.mark.parametrize("name", ["uneven-ring", "gaussians-1d"])
def test_each_mode_weighs_a_ratio_of_the_one_before(name: str) -> None:
    data = build(name, ratio=0.5)
    assert data.weights[1:] / data.weights[:-1] == pytest.approx(np.full(data.modes - 1, 0.5))
    shares = np.bincount(nearest_mode(draw(data, 20_000), data)[0], minlength=data.modes)
    assert chisquare(shares, 20_000 * data.weights).pvalue > SIGNIFICANT
    assert build("gaussians-1d").means[:, 0].tolist() == [-2.25, -0.75, 0.75, 2.25]


@pytest.mark.parametrize("dimension", [10, 64, 1200])
def test_in_many_dimensions_the_data_itself_passes(dimension: int) -> None:
    """Modes at equal distances, every sample nearest to its own, none strewn, radii of chi-square."""
    data, n = build("high-dimensional", dimension=dimension, radius=15.0), 2000
    assert gaps(data.means) == pytest.approx(np.full(10, 15 * math.sqrt(2)))
    samples = draw(data, n)
    mode, distance = nearest_mode(samples, data)
    assert kstest(distance**2, chi2(dimension).cdf).pvalue > SIGNIFICANT
    assert chisquare(np.bincount(mode, minlength=10)).pvalue > SIGNIFICANT
    found = mass(samples, data)
    assert found.stray == 0
    assert found.total_variation < 3 * found.floor


def test_more_right_angles_than_dimensions_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^modes must be at most as many as dimensions, 3"):
        build("high-dimensional", dimension=3, modes=4)


def test_no_sample_of_pacgans_1200_dimensions_is_within_ten_std_of_its_mode() -> None:
    """The published rule's count of the data itself is 0 %; the nearest of 500 is 24 std away or so, the mean 26.4."""
    samples = draw(build("pacgan-1200d"), 500)
    centre = samples[:, 700:]
    assert (centre == centre[:, :1]).all()
    assert {-13, -5.5, -2.5, -2, -1, -0.5, 0, 0.25, 0.5, 10} == set(centre[:, 0])
    distance = np.linalg.norm(samples - centre[:, :1], axis=1)
    assert distance.mean() == pytest.approx(26.44, abs=0.15)
    assert distance.min() > 10


def test_dirac_is_one_point_and_has_no_density() -> None:
    assert draw(build("dirac"), 5).tolist() == [[0.0]] * 5
    assert draw(build("dirac", at=-1.5), 2).tolist() == [[-1.5]] * 2
    assert not hasattr(build("dirac"), "log_density")


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_samples_are_float32_of_the_shape_and_from_the_generator_alone(name: str) -> None:
    data = build(name)
    torch.manual_seed(1)
    first = data.sample(9, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = data.sample(9, torch.Generator().manual_seed(5))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert (first.dtype, first.shape) == (torch.float32, (9, *data.shape))
    assert first.isfinite().all()


def test_the_turning_ring_is_the_ring_before_and_the_ring_turned_after() -> None:
    data = build("turning-ring", degrees=30.0, at=0.25)
    (start, before), (share, after) = data.phases
    assert (start, share) == (0.0, 0.25)
    assert after is data
    angle = np.arange(8) * 2 * math.pi / 8
    assert before.means == pytest.approx(2 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    angle += math.pi / 6
    assert data.means == pytest.approx(2 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    assert data.std.tolist() == before.std.tolist() == [0.02] * 8


def test_every_second_mode_is_a_hundred_times_as_rare() -> None:
    data = build("rare-modes")
    assert data.weights == pytest.approx(np.array([1, 0.01] * 4) / 4.04)
    assert np.linalg.norm(data.means, axis=1) == pytest.approx(np.full(8, 2.0))
    shares = np.bincount(nearest_mode(draw(data, 20_000), data)[0], minlength=8)
    assert chisquare(shares, 20_000 * data.weights).pvalue > SIGNIFICANT
    assert build("rare-modes", modes=3, ratio=10.0).weights == pytest.approx(np.array([1, 0.1, 1]) / 2.1)
