"""The metrics that look at samples: jsd, modes, discriminator."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch

from ganbench import Loss, Metric, Mixture

FOLDER = Path(__file__).parents[2] / "plugins" / "metrics"
RING = Mixture([[2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)] for k in range(8)], 0.02)


def metric(file: str) -> Metric:
    (value,) = runpy.run_path(str(FOLDER / f"{file}.py"))["ganbench_metrics"]()
    return value


def oracle(mixture: Mixture, n: int = 10_000) -> torch.Tensor:
    return mixture.sample(n, torch.Generator().manual_seed(0))


class Images:
    """A distribution without a known density."""

    shape = (1, 4, 4)

    def sample(self, n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.rand(n, *self.shape, generator=generator)


def loss(probability: bool) -> Loss:
    return Loss("some", lambda d_real: d_real.mean(), lambda d_fake: d_fake.mean(), probability=probability)


def test_the_oracle_reads_no_divergence_and_all_modes() -> None:
    divergence = metric("jsd").measure(oracle(RING), RING)
    assert 0 <= divergence["jsd_low"] <= divergence["jsd"] <= divergence["jsd_high"] < 0.015
    modes = metric("modes").measure(oracle(RING), RING)
    assert (modes["modes_covered"], modes["modes_total"], modes["modes_touched"], modes["all_modes"]) == (8, 8, 8, True)
    assert modes["high_quality"] == pytest.approx(0.9889, abs=0.005)


def test_share_reaches_the_count() -> None:
    samples = oracle(RING)
    first = (samples - torch.tensor(RING.means[0])).norm(dim=1) < 1
    samples[torch.nonzero(first)[: int(0.6 * first.sum()), 0]] = torch.tensor(RING.means[1], dtype=torch.float32)
    assert metric("modes").measure(samples, RING, share=0.2)["modes_covered"] == 8
    assert metric("modes").measure(samples, RING, share=0.5)["modes_covered"] == 7


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_samples_of_any_type_even_with_a_gradient_are_read(dtype: torch.dtype) -> None:
    samples = oracle(RING).to(dtype).requires_grad_()
    assert metric("jsd").measure(samples, RING)["jsd"] is not None
    assert metric("modes").measure(samples, RING)["modes_touched"] == 8


def test_where_nothing_is_known_nothing_is_said() -> None:
    cube = Mixture([[0.0, 0.0, 0.0]], 1.0)
    assert set(metric("jsd").measure(oracle(cube), cube).values()) == {None}
    assert metric("modes").measure(oracle(cube), cube)["modes_covered"] == 1
    images = Images()
    samples = images.sample(10, torch.Generator())
    assert set(metric("jsd").measure(samples, images).values()) == {None}
    assert set(metric("modes").measure(samples, images).values()) == {None}


def test_the_discriminators_belief_is_a_probability_or_nothing() -> None:
    measure = metric("discriminator").measure
    zeros = torch.zeros(100)
    assert measure(zeros, zeros + 200, loss(True)) == {"d_real": 0.5, "d_fake": 1.0}
    assert measure(zeros, zeros, loss(False)) == {"d_real": None, "d_fake": None}
    assert measure(None, None, loss(True)) == {"d_real": None, "d_fake": None}
    assert measure(None, None, None) == {"d_real": None, "d_fake": None}


@pytest.mark.parametrize("file", ["jsd", "modes"])
def test_columns_are_what_is_measured(file: str) -> None:
    value = metric(file)
    assert {column.name for column in value.columns} == set(value.measure(oracle(RING), RING))


def test_columns_of_the_discriminator_are_what_is_measured() -> None:
    value = metric("discriminator")
    assert [column.name for column in value.columns] == list(value.measure(None, None, None))
