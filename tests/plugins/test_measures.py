"""The metrics that measure samples beyond divergence and modes, as plugins: what they are given and what they give."""

from __future__ import annotations

import inspect
import math
import runpy
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import Metric, Mixture
from ganbench.plugin.column import check_columns
from ganbench.plugin.kinds import METRIC_NAMES
from ganbench.plugin.registry import Registry

FOLDER = Path(__file__).parents[2] / "plugins" / "metrics"
RING = Mixture([[2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)] for k in range(8)], 0.02)
FILES = ["likelihood", "mass", "memorisation", "mmd", "modes", "parzen", "prdc", "shape", "sliced_wasserstein"]


class Images:
    """A distribution without a known density."""

    shape = (1, 4, 4)

    def sample(self, n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.rand(n, *self.shape, generator=generator)


def metric(file: str) -> Metric:
    (value,) = runpy.run_path(str(FOLDER / f"{file}.py"))["ganbench_metrics"]()
    return value


def draw(dataset: Mixture | Images, seed: int, n: int = 1000) -> torch.Tensor:
    return dataset.sample(n, torch.Generator().manual_seed(seed))


def given(dataset: Mixture | Images, **others: object) -> dict[str, object]:
    """What a seed of a fitted reference is measured with."""
    return {
        "samples": draw(dataset, 0),
        "real": draw(dataset, 1),
        "dataset": dataset,
        "training": draw(dataset, 2, 512),
        "model": dataset,
        **others,
    }


def measured(value: Metric, scope: Mapping[str, object]) -> dict[str, object]:
    parameters = inspect.signature(value.measure).parameters.values()
    return dict(value.measure(*[scope[p.name] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]))


@pytest.mark.parametrize("file", FILES)
def test_all_columns_are_filled_where_all_is_known(file: str) -> None:
    value = metric(file)
    read = measured(value, given(RING))
    assert set(read) == {column.name for column in value.columns}
    assert all(math.isfinite(number) for number in read.values())


@pytest.mark.parametrize("file", FILES)
def test_images_are_read_by_what_needs_no_modes_and_no_density(file: str) -> None:
    read = measured(metric(file), given(Images()))
    if file == "modes":
        assert set(read) == {"spread", "offset"}
    elif file in ("mass", "shape", "likelihood"):
        assert set(read.values()) <= {None}
    else:
        assert all(math.isfinite(number) for number in read.values())


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_samples_of_any_type_even_with_a_gradient_are_read(file: str, dtype: torch.dtype) -> None:
    scope = given(RING)
    scope |= {"samples": draw(RING, 0).to(dtype).requires_grad_(), "real": draw(RING, 1).to(dtype)}
    assert any(number is not None for number in measured(metric(file), scope).values())


@pytest.mark.parametrize("file", FILES)
def test_the_same_samples_read_the_same_and_no_global_random_number_is_drawn(file: str) -> None:
    value = metric(file)
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert measured(value, given(RING)) == measured(value, given(RING))
    assert (torch.get_rng_state() == before[0]).all()
    assert (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -3e38])
def test_nothing_breaks_where_no_sample_is_usable(file: str, value: float) -> None:
    """A generator that has diverged is measured like any other, and never reads as well as the data."""
    unusable = measured(metric(file), given(RING, samples=torch.full((1000, 2), value)))
    perfect = measured(metric(file), given(RING))
    if file != "likelihood":
        assert unusable != perfect
    for column in metric(file).columns:
        read = unusable.get(column.name)
        if read is None or not math.isfinite(read) or column.better == "neither":
            continue
        if column.name == "copied" or column.name.startswith("kl"):  # what is nowhere is no copy; no samples in a KL
            continue
        better = read < perfect[column.name] if column.better == "lower" else read > perfect[column.name]
        assert not better, column.name


def test_data_without_end_has_no_training_points_and_a_gan_no_density() -> None:
    assert set(measured(metric("memorisation"), given(RING, training=None))) == {"near_duplicates"}
    assert set(measured(metric("likelihood"), given(RING, model=None)).values()) == {None}
    assert set(measured(metric("likelihood"), given(RING, model=Images())).values()) == {None}


def test_a_model_of_half_the_modes_is_ruled_out_by_the_others() -> None:
    half = Mixture(RING.means[:4], 0.02)
    assert measured(metric("likelihood"), given(RING, model=half))["kl"] > 100


def test_a_generator_that_learnt_its_training_points_is_told() -> None:
    scope = given(RING)
    scope["training"] = scope["training"][:500]
    scope["samples"] = scope["training"].repeat(2, 1)
    read = measured(metric("memorisation"), scope)
    assert read["copied"] == read["near_duplicates"] == 1
    assert read["copying_z"] < -30


def test_what_costs_much_is_measured_at_the_end() -> None:
    cheap = {"modes", "mass"}
    assert {file for file in FILES if metric(file).at == "every"} == cheap


def test_all_shipped_metrics_fit_in_one_table_and_name_what_there_is(shipped: Registry) -> None:
    values = [metric(file) for file in FILES]
    check_columns(column for value in values for column in value.columns)
    for value in values:
        parameters = inspect.signature(value.measure).parameters.values()
        assert {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} <= METRIC_NAMES


@pytest.mark.parametrize("file", FILES)
def test_a_columns_own_uncertainty_stays_out_of_the_table(file: str) -> None:
    for column in metric(file).columns:
        if column.name.endswith(("_se", "_low", "_high")):
            assert column.summary == "none", column.name
