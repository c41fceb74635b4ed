"""The metrics that every suite has: jsd and modes."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch

from ganbench import Metric, Mixture
from ganbench.metrics.divergence import divergences

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


def said(samples: torch.Tensor, dataset, real: torch.Tensor | None = None) -> dict:
    """What the metric jsd says of one seed's samples."""
    (divergence,) = divergences(samples[None], dataset, None if real is None else real[None], final=True)
    return dict(metric("jsd").measure(divergence))


def test_the_oracle_reads_no_divergence_and_all_modes() -> None:
    divergence = said(oracle(RING), RING)
    assert 0 <= divergence["jsd_low"] <= divergence["jsd"] <= divergence["jsd_high"] < 0.015
    modes = metric("modes").measure(oracle(RING), None, RING)
    assert (modes["modes_covered"], modes["modes_total"], modes["modes_touched"], modes["all_modes"]) == (8, 8, 8, True)
    assert modes["high_quality"] == pytest.approx(0.9889, abs=0.005)


def test_share_reaches_the_count() -> None:
    samples = oracle(RING)
    first = (samples - torch.tensor(RING.means[0])).norm(dim=1) < 1
    samples[torch.nonzero(first)[: int(0.6 * first.sum()), 0]] = torch.tensor(RING.means[1], dtype=torch.float32)
    assert metric("modes").measure(samples, None, RING, share=0.2)["modes_covered"] == 8
    assert metric("modes").measure(samples, None, RING, share=0.5)["modes_covered"] == 7


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_samples_of_any_type_even_with_a_gradient_are_read(dtype: torch.dtype) -> None:
    samples = oracle(RING).to(dtype).requires_grad_()
    assert said(samples.detach(), RING)["jsd"] is not None
    assert metric("modes").measure(samples, None, RING)["modes_touched"] == 8


def test_the_jsd_is_also_a_fraction_of_log_2() -> None:
    row = said(torch.full((4000, 2), 50.0), RING)
    assert row["jsd"] == pytest.approx(math.log(2), abs=1e-6)
    assert row["jsd_fraction"] == pytest.approx(1, abs=1e-5)


def test_every_dataset_has_a_jsd_and_says_how_it_came_by_it() -> None:
    """In three dimensions and of images there is a lower bound, which has no upper end; modes are for mixtures."""
    cube = Mixture([[0.0, 0.0, 0.0]], 1.0)
    draw = torch.Generator().manual_seed(0)
    images = Images()
    for dataset in (cube, images):
        real, same = dataset.sample(2000, draw), dataset.sample(2000, draw)
        null, far = said(same, dataset, real), said(real + 5, dataset, real)
        assert (null["jsd_method"], far["jsd_method"], far["jsd_high"]) == ("lower bound", "lower bound", None)
        assert null["jsd"] < 0.01
        assert far["jsd"] > 0.6
    assert metric("modes").measure(oracle(cube), None, cube)["modes_covered"] == 1
    assert set(metric("modes").measure(images.sample(10, draw), images.sample(10, draw), images)) == {
        "spread",
        "offset",
    }


def test_columns_are_what_is_measured() -> None:
    for file, row in (("jsd", said(oracle(RING), RING)), ("modes", metric("modes").measure(oracle(RING), None, RING))):
        assert {column.name for column in metric(file).columns} == set(row)
