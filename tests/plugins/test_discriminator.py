"""What the metric discriminator says is the GAN paper's own identity, checked where the best D is known."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch

from ganbench import Loss, Metric, Mixture
from ganbench.metrics.divergence import divergences

FILE = Path(__file__).parents[2] / "plugins" / "metrics" / "discriminator.py"
DATA, MOVED = (Mixture([[-2.0 + x, 0.0], [2.0 + x, 0.0]], 0.5) for x in (0.0, 0.4))


@pytest.fixture(scope="module")
def metric() -> Metric:
    (value,) = runpy.run_path(str(FILE))["ganbench_metrics"]()
    return value


def loss(probability: bool) -> Loss:
    return Loss("some", lambda d_real: d_real.mean(), lambda d_fake: d_fake.mean(), probability=probability)


def played(metric: Metric, generator: Mixture, logit, *, seed: int = 0, n: int = 10_000) -> dict[str, float]:
    """What is measured of a generator whose law is known, against a discriminator that is a formula."""
    draw = torch.Generator().manual_seed(seed)
    real, samples = DATA.sample(n, draw), generator.sample(n, draw)
    (divergence,) = divergences(samples[None], DATA, real[None], final=True)
    return dict(metric.measure(logit(real), logit(samples), loss(True), divergence))


def best(generator: Mixture, times: float = 1.0):
    """log p - log q, the logit of p / (p + q), or a multiple of it."""
    return lambda x: times * torch.from_numpy(DATA.log_density(x.numpy()) - generator.log_density(x.numpy()))


def test_the_best_discriminator_has_no_gap(metric: Metric) -> None:
    """20 seeds: 0 lies in the gap's interval each time (nominal: at least 95 %), and the mean gap within 0.003 of 0."""
    rows = [played(metric, MOVED, best(MOVED), seed=seed) for seed in range(20)]
    assert sum(row["discriminator_gap_low"] <= 0 <= row["discriminator_gap_high"] for row in rows) >= 19
    assert sum(row["discriminator_gap"] for row in rows) / 20 == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("times", [0.0, 0.3, 3.0, -1.0])
def test_every_other_discriminator_has_one(metric: Metric, times: float) -> None:
    """Theorem 1: V is largest at p / (p + q)."""
    assert played(metric, MOVED, best(MOVED, times))["discriminator_gap_low"] > 0


def test_at_the_optimum_of_the_game_d_says_one_half_and_v_is_minus_log_4(metric: Metric) -> None:
    row = played(metric, DATA, best(DATA))
    assert (row["d_real"], row["d_fake"], row["d_spread"]) == (0.5, 0.5, 0.0)
    assert row["game_value"] == pytest.approx(-math.log(4))
    assert row["discriminator_gap"] == pytest.approx(0, abs=0.005)


def test_the_value_is_finite_where_d_is_certain(metric: Metric) -> None:
    """sigmoid(200) rounds to 1, and log(1 - 1) would be minus infinity."""
    (divergence,) = divergences(torch.zeros(1, 100, 2), DATA, torch.zeros(1, 100, 2), final=True)
    row = metric.measure(torch.full((100,), 200.0), torch.full((100,), 200.0), loss(True), divergence)
    assert row["game_value"] == pytest.approx(-200)
    assert (row["d_real"], row["d_fake"]) == (1.0, 1.0)


def test_a_discriminator_that_is_no_probability_has_only_a_spread(metric: Metric) -> None:
    (divergence,) = divergences(torch.zeros(1, 100, 2), DATA, torch.zeros(1, 100, 2), final=True)
    assert metric.measure(torch.zeros(100), torch.full((100,), 2.0), loss(False), divergence) == {"d_spread": 1.0}
    assert metric.measure(None, None, None, divergence) == {}


def test_columns_are_what_is_measured(metric: Metric) -> None:
    assert {column.name for column in metric.columns} == set(played(metric, MOVED, best(MOVED)))
