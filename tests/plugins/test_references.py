"""The shipped references: each is the distribution it says it is, from its own random numbers, on any shape of data."""

from __future__ import annotations

import inspect
import math
import runpy
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from ganbench import Distribution, Mixture, Reference
from ganbench.plugin.binding import bind

FOLDER = Path(__file__).parents[2] / "plugins" / "references"
FILES = sorted(path.stem for path in FOLDER.glob("*.py"))
RING = Mixture([[2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)] for k in range(8)], 0.02)
GRID = Mixture([[0.7071 * x, 0.7071 * y] for x in range(-2, 3) for y in range(-2, 3)], 0.01768)
LINE = Mixture([[-1.0], [2.0]], [0.2, 0.5], [1, 3])


class Images:
    """Images (1, 8, 8) of three kinds, by brightness, with noise; no density."""

    shape = (1, 8, 8)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        kind = torch.randint(3, (n, 1, 1, 1), generator=generator, device=generator.device)
        return kind + 0.1 * torch.rand(n, *self.shape, generator=generator, device=generator.device)


def module(file: str) -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / f"{file}.py"))


def reference(file: str) -> Reference:
    (value,) = module(file)["ganbench_references"]()
    return value


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(dataset: Distribution, n: int = 2000, seed: int = 0) -> Tensor:
    return dataset.sample(n, seeded(seed))


def fitted(file: str, dataset: Distribution, training: Tensor | None = None, seed: int = 1, **parameters: Any) -> Any:
    given = {"dataset": dataset, "random": seeded(seed)}
    given["training"] = points(dataset) if training is None else training
    return bind(reference(file).fit, parameters)(given)


def nearest(samples: Tensor, others: Tensor) -> Tensor:
    """The distance of each sample to the nearest of the others, (n,)."""
    x, y = samples.double().flatten(1), others.double().flatten(1)
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1).values


# What all of them are.


def test_names_are_those_of_the_suite_files() -> None:
    names = ["em", "k-means", "kde", "memoriser", "one-mode", "oracle", "training-data"]
    assert [reference(file).name for file in FILES] == names


@pytest.mark.parametrize("file", FILES)
def test_all_parameters_have_annotations_and_the_docstring_says_what_it_is(file: str) -> None:
    fit = reference(file).fit
    hints = get_type_hints(fit, include_extras=True)
    for parameter in inspect.signature(fit).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            assert parameter.name in hints
    first = (FOLDER / f"{file}.py").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith('"""')
    assert first.endswith(".")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("dataset", [RING, LINE, Images()], ids=["plane", "line", "images"])
def test_samples_have_the_datas_shape_for_any_number_of_training_points(file: str, dataset: Any) -> None:
    """Even where there are fewer than modes, centres or components are asked for."""
    for n in (1, 2, 50, 1000):
        if (file, n) in (("em", 1), ("kde", 1)):
            continue  # One point has no width; see below.
        found = fitted(file, dataset, points(dataset, n))
        assert isinstance(found, Distribution)
        assert tuple(found.shape) == dataset.shape
        for size in (1, 300):
            samples = found.sample(size, seeded(2))
            assert samples.shape == (size, *dataset.shape)
            assert samples.dtype == torch.float32
            assert samples.isfinite().all()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("dataset", [RING, Images()], ids=["plane", "images"])
def test_the_same_seeds_give_the_same_samples_whatever_the_global_state(file: str, dataset: Any) -> None:
    training = points(dataset, 500)
    draws = []
    with torch.random.fork_rng(devices=[]):
        for draw, disturbance in ((2, 0), (2, 9), (3, 0)):
            torch.manual_seed(disturbance)
            np.random.seed(disturbance)
            before = torch.get_rng_state(), np.random.get_state()[1].tolist()
            draws.append(fitted(file, dataset, training).sample(100, seeded(draw)))
            assert torch.equal(torch.get_rng_state(), before[0])
            assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("file", ["memoriser", "kde", "k_means", "em"])
def test_the_fit_depends_on_its_own_random_numbers(file: str) -> None:
    given = {"points": 64} if file != "kde" else {"centres": 64}
    a, b = (fitted(file, RING, seed=seed, **given).sample(100, seeded(2)) for seed in (1, 2))
    assert not torch.equal(a, b)


@pytest.mark.parametrize("file", FILES)
def test_training_points_are_left_as_they_are(file: str) -> None:
    training = points(RING)
    fitted(file, RING, training).sample(10, seeded(0))
    assert torch.equal(training, points(RING))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_samples_are_on_the_generators_device(file: str) -> None:
    """Fitted where the data is; drawn where the generator is, even where that is elsewhere."""
    for dataset in (RING, Images()):
        training = points(dataset).cuda()
        given = {"training": training, "dataset": dataset, "random": torch.Generator("cuda").manual_seed(1)}
        found = bind(reference(file).fit, {})(given)
        for device in ("cpu", "cuda"):
            samples = found.sample(100, torch.Generator(device).manual_seed(2))
            assert samples.device.type == device
            assert samples.isfinite().all()
        if hasattr(found, "log_density"):
            assert np.isfinite(found.log_density(np.ones((5, *dataset.shape)))).all()


@pytest.mark.parametrize(
    ("file", "name", "value"),
    [
        ("memoriser", "points", 0),
        ("memoriser", "jitter", 0.0),
        ("one_mode", "share", 0.0),
        ("one_mode", "share", 1.5),
        ("em", "components", 0),
        ("em", "covariance", "tied"),
        ("em", "regularisation", 0.0),
        ("kde", "bandwidth", -1.0),
        ("k_means", "k", 0),
    ],
)
def test_senseless_parameters_are_refused(file: str, name: str, value: Any) -> None:
    hints = get_type_hints(reference(file).fit, include_extras=True)
    with pytest.raises(ValidationError):
        TypeAdapter(hints[name]).validate_python(value, strict=True)


# What each of them is.


def test_the_oracle_is_the_data() -> None:
    assert fitted("oracle", RING) is RING


def test_training_data_is_drawn_once_while_it_lasts() -> None:
    training = points(RING, 100)
    found = fitted("training_data", RING, training)
    rows = {tuple(row) for row in training.tolist()}
    once, some, more = (found.sample(n, seeded(3)) for n in (100, 60, 250))
    assert {tuple(row) for row in once.tolist()} == rows
    assert len({tuple(row) for row in some.tolist()}) == 60
    counts = torch.unique(more, dim=0, return_counts=True)[1]
    assert len(counts) == 100
    assert set(counts.tolist()) == {2, 3}
    assert not torch.equal(once, training)


@pytest.mark.parametrize("dataset", [RING, GRID, Images()], ids=["ring", "grid", "images"])
def test_the_memorisers_samples_lie_on_few_training_points(dataset: Any) -> None:
    """512 of them, all used, each nearer to its own than a tenth of the way to any other's, hardly two alike."""
    training = points(dataset, 10_000)
    samples = fitted("memoriser", dataset, training).sample(10_000, seeded(3))
    x, y = samples.double().flatten(1), training.double().flatten(1)
    owner = torch.cat([torch.cdist(block, y).argmin(dim=1) for block in x.split(1000)])
    used = owner.unique()
    assert 500 <= len(used) <= 530
    apart = torch.cdist(y[used], y[used]) + torch.diag(torch.full((len(used),), torch.inf))
    moved = (x - y[owner]).norm(dim=1)
    assert moved.median() < apart.min(dim=1).values.median() / 10
    assert 10_000 - len(samples.unique(dim=0)) < 100


def test_the_memorisers_points_and_jitter_are_parameters() -> None:
    training = points(RING)
    samples = fitted("memoriser", RING, training, points=1).sample(100, seeded(3))
    assert samples.std(dim=0).max() < 1e-3
    assert len(samples.unique(dim=0)) > 90
    wide, narrow = (
        nearest(fitted("memoriser", RING, training, jitter=j).sample(1000, seeded(3)), training).median().item()
        for j in (0.3, 0.03)
    )
    assert wide == pytest.approx(10 * narrow, rel=0.3)


def test_one_mode_of_a_mixture_is_its_heaviest_alone() -> None:
    found = fitted("one_mode", LINE)
    assert (found.means.tolist(), found.std.tolist(), found.weights.tolist()) == ([[2.0]], [0.5], [1.0])
    assert fitted("one_mode", RING).means.tolist() == [RING.means[0].tolist()]


def test_one_mode_of_other_data_is_a_neighbourhood_of_real_points() -> None:
    """A tenth of images of three kinds, all of one kind."""
    training = points(Images(), 300)
    samples = fitted("one_mode", Images(), training).sample(1000, seeded(3))
    assert (nearest(samples, training) == 0).all()
    assert len(samples.unique(dim=0)) == 30
    assert len(samples.mean(dim=(1, 2, 3)).floor().unique()) == 1


def test_k_means_is_few_points_as_heavy_as_their_clusters() -> None:
    """LINE has 1/4 of its mass at -1 and 3/4 at 2: two centres, drawn as often, within 5 standard errors."""
    found = fitted("k_means", LINE, points(LINE, 4000), k=2)
    where, counts = found.sample(10_000, seeded(3)).unique(return_counts=True)
    assert where.tolist() == pytest.approx([-1, 2], abs=0.05)
    assert counts[0].item() == pytest.approx(2500, abs=5 * 50 + 50)
    assert len(fitted("k_means", RING).sample(10_000, seeded(3)).unique(dim=0)) <= 512


@pytest.mark.parametrize("dataset", [RING, GRID, LINE], ids=["ring", "grid", "line"])
@pytest.mark.parametrize("seed", range(5))
def test_em_recovers_a_mixture(dataset: Mixture, seed: int) -> None:
    """KL(data || model) is what maximum likelihood leaves, about (parameters / 2n); every mode has its component."""
    found = fitted("em", dataset, points(dataset, 10_000, seed), seed=seed)
    assert found.note == ""
    x = points(dataset, 10_000, 100 + seed).double().numpy()
    kl = (dataset.log_density(x) - found.log_density(x)).mean()
    assert abs(kl) < 0.012
    samples = found.sample(10_000, seeded(seed)).double().numpy()
    mode = np.linalg.norm(samples[:, None] - dataset.means, axis=-1).argmin(axis=1)
    shares = np.bincount(mode, minlength=dataset.modes) / len(samples)
    # Two draws of 10,000, within 5 standard errors of a share of at most 3/4.
    assert shares == pytest.approx(dataset.weights, abs=5 * math.sqrt(2 * 0.19 / 10_000))
    if dataset is not LINE:
        assert (np.abs(samples - dataset.means[mode]).max(axis=1) < 6 * dataset.std[0]).all()


@pytest.mark.parametrize("covariance", ["full", "diag", "spherical"])
def test_em_samples_from_the_density_that_it_tells(covariance: str) -> None:
    """Second moments of samples and of the fitted components agree, in three dimensions, with correlations."""
    mix = torch.tensor([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 0.1]])
    training = points(Mixture([[0.0] * 3], 1.0), 4000) @ mix.T + 5
    found = fitted("em", Images(), training, components=3, covariance=covariance)
    x = found.sample(100_000, seeded(0)).double().numpy()
    weights, means = found.model.weights_, found.model.means_
    covariances = found.model.covariances_
    if covariance == "diag":
        covariances = np.stack([np.diag(row) for row in covariances])
    if covariance == "spherical":
        covariances = covariances[:, None, None] * np.eye(3)
    mean = weights @ means
    second = np.einsum("k,kij->ij", weights, covariances + means[:, :, None] * means[:, None, :])
    wanted = (second - np.outer(mean, mean)) * found.unit**2
    assert x.mean(axis=0) == pytest.approx(mean * found.unit, abs=0.02)
    assert np.cov(x.T) == pytest.approx(wanted, abs=0.03)


def test_em_that_does_not_converge_says_so_and_no_warning_escapes() -> None:
    overlapping = Mixture([[0.0], [0.1]], 1.0)
    found = fitted("em", overlapping, components=5, tolerance=1e-9, iterations=2)
    assert found.note == "EM had not converged after 2 iterations"
    assert found.sample(10, seeded(0)).isfinite().all()
    few = torch.tensor([[0.0], [1.0]]).repeat(50, 1)
    assert fitted("em", overlapping, few, components=4).sample(10, seeded(0)).isfinite().all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_em_and_kde_do_not_depend_on_the_unit(scale: float) -> None:
    training, x = points(RING), points(RING, 100, 7).double().numpy()
    for file in ("em", "kde"):
        one, other = fitted(file, RING, training), fitted(file, RING, training * scale)
        there = other.log_density(x * scale) + 2 * math.log(scale)
        assert there == pytest.approx(one.log_density(x), abs=1e-3)


@pytest.mark.parametrize("file", ["em", "kde"])
def test_a_density_integrates_to_one(file: str) -> None:
    """On the line by the trapezium rule, and in the plane on a grid finer than any mode's width."""
    line = np.linspace(-10, 12, 20_001)
    density = np.exp(fitted(file, LINE).log_density(line[:, None]))
    assert np.trapezoid(density, line) == pytest.approx(1, abs=1e-4)
    wide = Mixture([[0.0, 0.0], [1.0, 0.5]], 0.2)
    axis = np.linspace(-3, 4, 301)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    total = np.exp(fitted(file, wide).log_density(plane)).sum() * (axis[1] - axis[0]) ** 2
    assert total == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("file", ["em", "kde"])
def test_a_density_of_images_is_of_the_flat_vectors(file: str) -> None:
    """And equals the mean over kernels or components, written out."""
    training = points(Images(), 200)
    found = fitted(file, Images(), training)
    x = points(Images(), 20, 9).double().numpy()
    density = found.log_density(x)
    assert density.shape == (20,)
    assert density.dtype == np.float64
    if file == "kde":
        gaps = ((x[:, None] - found.centres.double().numpy()) ** 2).sum(axis=(2, 3, 4))
        kernels = -gaps / (2 * found.bandwidth**2) - 64 * math.log(found.bandwidth * math.sqrt(2 * math.pi))
        assert density == pytest.approx(np.logaddexp.reduce(kernels, axis=1) - math.log(200))


def test_the_width_of_the_kernels_is_nearly_the_best_on_fresh_data() -> None:
    """No width on a fine grid makes fresh data likelier by more than 0.02 nats a point."""
    training, fresh = points(LINE), points(LINE, 5000, 11).double().numpy()
    chosen = fitted("kde", LINE, training)
    others = [fitted("kde", LINE, training, bandwidth=w) for w in np.geomspace(0.01, 1, 30).tolist()]
    best = max(other.log_density(fresh).mean() for other in others)
    assert chosen.log_density(fresh).mean() > best - 0.02


def test_kernels_without_a_width_need_two_different_points() -> None:
    for training in (torch.zeros(1, 2), torch.ones(50, 2)):
        with pytest.raises(ValueError, match=r"^bandwidth must be given: no two of the training points differ$"):
            fitted("kde", RING, training)
        assert fitted("kde", RING, training, bandwidth=0.5).bandwidth == 0.5


def test_kernels_rule_out_what_no_number_can_reach_and_tell_how_far_all_else_is() -> None:
    """An exponential underflows 39 widths away, and a square overflows at 1e200; the logarithm minds neither."""
    found = fitted("kde", LINE, torch.tensor([[0.0], [1.0]]), bandwidth=0.01)
    density = found.log_density(np.array([[2.0], [1e200]]))
    assert density[0] == pytest.approx(-(100**2) / 2 - math.log(2 * 0.01 * math.sqrt(2 * math.pi)), rel=1e-9)
    assert density[1] == -math.inf
