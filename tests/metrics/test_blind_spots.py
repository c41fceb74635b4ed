"""Where the usual proxies are blind, and that the divergence is not.

Each failure is planted with a known density. A proxy is blind to it when it reads no worse than perfect samples do: on
the better side of their mean, or within four of their standard deviations (6 seeds, all fixed).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from planted import (
    GRID,
    RING,
    Planted,
    both,
    circle,
    divergence,
    donuts,
    memoriser,
    narrowed,
    of_mixture,
    rows,
    without,
)
from scipy.special import rel_entr

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsd
from ganbench.metrics.jsd_neighbours import neighbour_jsd
from ganbench.metrics.mass import mass
from ganbench.metrics.memorisation import near_duplicates
from ganbench.metrics.mmd import mmd
from ganbench.metrics.modes import count_modes
from ganbench.metrics.parzen import parzen
from ganbench.metrics.precision_recall import manifold
from ganbench.metrics.shape import shapes
from ganbench.metrics.sliced_wasserstein import sliced_wasserstein

N = 10_000
SEEDS = 6
#: Which proxies are better when they are higher; of the others, lower is better.
HIGHER = {"high_quality", "covered", "touched", "precision", "recall", "density", "coverage", "parzen"}


def histogram_jsd(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> float:
    """The field's 64 x 64 histogram over the square around the data, in nats."""
    edge = float(np.abs(mixture.means).max() + 6 * mixture.std.max())
    q, p = (np.histogram2d(*x.T, bins=64, range=[[-edge, edge]] * 2)[0] / len(x) for x in (samples, real))
    return float(rel_entr(p, (p + q) / 2).sum() + rel_entr(q, (p + q) / 2).sum()) / 2


def proxies(samples: np.ndarray, real: np.ndarray, mixture: Mixture) -> dict[str, float | None]:
    modes, near = count_modes(samples, mixture), manifold(samples, real)
    return {
        "high_quality": modes.high_quality,
        "covered": modes.covered,
        "touched": modes.touched,
        "reverse_kl": modes.reverse_kl,
        "mass_tv": mass(samples, mixture).total_variation,
        "precision": near.precision,
        "recall": near.recall,
        "density": near.density,
        "coverage": near.coverage,
        "mmd_median": mmd(samples, real, (0.5,)).value,
        "sliced_wasserstein": sliced_wasserstein(samples, real),
        "parzen": parzen(samples, real, most=1000).log_likelihood,
        "histogram": histogram_jsd(samples, real, mixture),
        "jsd": jsd(samples, mixture).value,
    }


@dataclass(frozen=True)
class Scene:
    """A data set, what perfect samples of it read, and the generators that fail."""

    mixture: Mixture
    perfect: Mapping[str, np.ndarray]
    failures: Mapping[str, Planted]

    def read(self, failure: str) -> dict[str, float | None]:
        return proxies(draw(self.failures[failure], 5), draw(of_mixture(self.mixture), 1000), self.mixture)

    def blind(self, readings: Mapping[str, float | None]) -> set[str]:
        found = set()
        for name, perfect in self.perfect.items():
            sign, read = (1 if name in HIGHER else -1), readings[name]
            if read is not None and sign * read >= (sign * perfect).mean() - 4 * perfect.std(ddof=1):
                found.add(name)
        return found


def draw(law: Planted, seed: int) -> np.ndarray:
    return law.sample(np.random.default_rng(seed), N)


@pytest.fixture(scope="module", params=["ring", "grid"])
def scene(request: pytest.FixtureRequest) -> Scene:
    mixture, filaments, lost = {
        "ring": (RING, circle(2.0, 0.02), 2),
        "grid": (GRID, rows((-4.0, -2.0, 0.0, 2.0, 4.0), 0.05), 5),
    }[request.param]
    data = of_mixture(mixture)
    readings = [proxies(draw(data, seed), draw(data, 1000 + seed), mixture) for seed in range(SEEDS)]
    return Scene(
        mixture,
        {name: np.array([one[name] for one in readings]) for name in readings[0]},
        {
            "donut": donuts(mixture),
            "memoriser": memoriser(mixture, points=512, jitter=0.01),
            "filaments": both(data, filaments, 0.1),
            "narrow": narrowed(mixture, 0.5),
            "lost modes": without(mixture, lost),
            "lost modes, filaments": both(without(mixture, lost), filaments, 0.1),
        },
    )


MODES = {"covered", "touched", "reverse_kl"}
BLIND = {
    "donut": MODES | {"high_quality", "mass_tv", "precision", "density", "mmd_median", "sliced_wasserstein"},
    "memoriser": {"high_quality", "covered", "touched", "precision", "density", "mmd_median"},
    "filaments": MODES | {"mass_tv", "recall", "mmd_median", "sliced_wasserstein"},
    "narrow": MODES | {"high_quality", "mass_tv", "precision", "density", "mmd_median", "sliced_wasserstein", "parzen"},
    "lost modes": {"high_quality", "precision", "density"},
    "lost modes, filaments": {"touched", "recall"},
}


@pytest.mark.parametrize("failure", BLIND)
def test_the_divergence_sees_what_proxies_are_blind_to(scene: Scene, failure: str) -> None:
    """At ten times its floor and more, and at the truth; the memoriser's atoms at least by the neighbours' estimate."""
    readings = scene.read(failure)
    assert scene.blind(readings) >= BLIND[failure]
    truth, error = divergence(of_mixture(scene.mixture), scene.failures[failure], n=10_000)
    assert readings["jsd"] >= 10 * scene.perfect["jsd"].max()
    assert "jsd" not in scene.blind(readings)
    if failure == "memoriser":
        real = draw(of_mixture(scene.mixture), 1000)
        assert neighbour_jsd(draw(scene.failures[failure], 5), real).value == pytest.approx(truth, abs=0.05)
    else:
        assert readings["jsd"] == pytest.approx(truth, abs=0.012 + 4 * error)


@pytest.mark.parametrize(("failure", "at_most"), [("donut", 0.1), ("memoriser", 0.1), ("narrow", 1 / 3)])
def test_the_histogram_sees_a_fraction_of_what_is_within_its_cells(scene: Scene, failure: str, at_most: float) -> None:
    truth, _ = divergence(of_mixture(scene.mixture), scene.failures[failure], n=2000)
    assert histogram_jsd(draw(scene.failures[failure], 5), draw(of_mixture(scene.mixture), 1000), scene.mixture) < (
        at_most * truth
    )


def radial(samples: np.ndarray, _: np.ndarray, mixture: Mixture) -> float:
    return float(np.median(shapes(samples, mixture).radial))


def narrowness(samples: np.ndarray, _: np.ndarray, mixture: Mixture) -> float:
    return float(-np.median(shapes(samples, mixture).variance))


MADE_FOR: dict[str, Callable[[np.ndarray, np.ndarray, Mixture], float]] = {
    "donut": radial,
    "memoriser": lambda samples, real, _: near_duplicates(samples, real),
    "filaments": lambda samples, _, mixture: mass(samples, mixture).stray,
    "narrow": narrowness,
    "lost modes": lambda samples, _, mixture: mass(samples, mixture).total_variation,
    "lost modes, filaments": lambda samples, _, mixture: mass(samples, mixture).total_variation,
}


@pytest.mark.parametrize("failure", MADE_FOR)
def test_each_failure_has_a_measure_that_names_it(scene: Scene, failure: str) -> None:
    """More than ten standard deviations above what perfect samples read."""
    data, measure = of_mixture(scene.mixture), MADE_FOR[failure]
    perfect = [measure(draw(data, seed), draw(data, 1000 + seed), scene.mixture) for seed in range(SEEDS)]
    read = measure(draw(scene.failures[failure], 5), draw(data, 1000), scene.mixture)
    assert read > np.mean(perfect) + 10 * np.std(perfect, ddof=1)
