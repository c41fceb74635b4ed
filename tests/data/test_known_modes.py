"""The modes of data without a density: those that are there are found, and one that is left out is missed."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench import Mixture
from ganbench.data.known_modes import Centres, Labelled
from ganbench.metrics.modes import count_known_modes, count_modes

MEANS = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def drawn(n, seed, means=MEANS, std=0.3):
    random = np.random.RandomState(seed)
    label = random.randint(len(means), size=n)
    return means[label] + std * random.randn(n, means.shape[1]), label


def made(kind, dimension=2):
    means = np.pad(MEANS, ((0, 0), (0, dimension - 2)))
    rows, label = drawn(3000, 0, means)
    return (Centres(means, rows) if kind is Centres else Labelled(rows, label, ["a", "b", "c"])), means


@pytest.mark.parametrize("dimension", [2, 20])
@pytest.mark.parametrize("kind", [Centres, Labelled])
def test_fresh_data_has_all_modes_at_high_quality(kind, dimension):
    modes, means = made(kind, dimension)
    found = count_known_modes(drawn(5000, 1, means)[0], modes)
    assert (found.total, found.covered, found.touched) == (3, 3, 3)
    assert found.high_quality == pytest.approx(0.9889 if kind is Centres else 0.99, abs=0.01)
    assert found.reverse_kl < 0.002
    assert found.largest == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("kind", [Centres, Labelled])
def test_a_mode_that_has_strays_alone_is_touched_and_not_covered(kind):
    modes, _ = made(kind)
    samples = np.concatenate([drawn(1000, 1, MEANS[:2])[0], MEANS[2:] + 0.01])
    found = count_known_modes(samples, modes)
    assert (found.covered, found.touched) == (2, 3)
    far = count_known_modes(np.full((10, 2), 50.0), modes)
    assert (far.covered, far.high_quality, far.reverse_kl) == (0, 0.0, np.inf)
    broken = count_known_modes(np.full((10, 2), np.nan), modes)
    assert (broken.covered, broken.largest) == (0, 0.0)


def test_centres_count_as_the_mixture_does_that_has_them():
    modes, _ = made(Centres)
    samples = drawn(2000, 2)[0]
    own, other = count_known_modes(samples, modes), count_modes(samples, Mixture(MEANS, 0.3))
    assert (own.covered, own.touched, own.largest) == (other.covered, other.touched, other.largest)
    assert own.high_quality == pytest.approx(other.high_quality, abs=0.01)


def test_labels_tell_rings_with_one_centre_apart():
    random = np.random.RandomState(0)
    angle, label = 2 * np.pi * random.rand(2000), random.randint(2, size=2000)
    ring = (1.0 + label + 0.03 * random.randn(2000))[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    modes = Labelled(ring[:1500], label[:1500], ["inner", "outer"])
    inner = ring[1500:][label[1500:] == 0]
    assert count_known_modes(ring[1500:], modes).covered == 2
    assert count_known_modes(inner, modes).covered == 1


def test_a_rare_label_among_many_rows_is_a_mode():
    rows, label = drawn(20_000, 3)
    keep = (label < 2) | (np.cumsum(label == 2) <= 12)
    modes = Labelled(rows[keep], label[keep], ["a", "b", "rare"])
    assert modes.shares[2] < 0.01
    assert count_known_modes(rows[keep], modes).covered == 3
