"""What is measured of games whose end is known: the Dirac-GAN, and a Gaussian fitted on the line."""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganbench import NotApplicableError

PLUGINS = Path(__file__).parents[2] / "plugins"


def plugin(path: str) -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(PLUGINS / path)))


DIRAC, MOMENTS = plugin("metrics/dirac.py"), plugin("metrics/moments.py")


@pytest.mark.parametrize(("theta", "psi"), [(1.0, -1.0), (-0.3, 2.0), (1e-9, 3e-9), (2e-16, 1e-17)])
def test_the_distance_is_found_from_samples_and_logits_in_float32(theta, psi):
    """The data is at 0, or elsewhere; with 1e-5, float32's."""
    networks = plugin("architectures/dirac.py").dirac((1,), theta=theta, psi=psi, spread=0)
    fake, real = networks.generator(torch.zeros(5, 1)).detach(), torch.zeros(7, 1)
    found = DIRAC.measure(fake, real, networks.discriminator(real), networks.discriminator(fake))
    assert found["equilibrium_distance"] == pytest.approx(math.hypot(theta, psi), rel=1e-5)


def test_where_float32_ends_there_is_no_number_and_not_a_wrong_one():
    for theta, psi in ((1e-21, 1e-21), (1e-30, 1e-30)):
        fake, real = torch.full((5, 1), theta), torch.zeros(5, 1)
        with pytest.raises(NotApplicableError, match="too small"):
            DIRAC.measure(fake, real, psi * real[:, 0], psi * fake[:, 0])


def test_other_data_and_networks_are_refused():
    varied, same = torch.randn(5, 1), torch.zeros(5, 1)
    for fake, real in ((varied, same), (same, varied), (torch.zeros(5, 2), torch.zeros(5, 2))):
        with pytest.raises(NotApplicableError, match="not a Dirac-GAN"):
            DIRAC.measure(fake, real, torch.zeros(5), torch.zeros(5))
    assert DIRAC.measure(same, same, None, None) == {}


def test_moments_are_those_of_the_samples():
    found = MOMENTS.measure(torch.tensor([[1.0], [3.0]]))
    assert (found["sample_mean"], found["sample_std"]) == (2.0, 1.0)
    for samples in (torch.zeros(5, 2), torch.tensor([[math.nan], [1.0]])):
        with pytest.raises(NotApplicableError):
            MOMENTS.measure(samples)


def test_a_location_and_a_scale_make_one_gaussian():
    networks = plugin("architectures/location_scale.py").location_scale((1,))
    with torch.no_grad():
        networks.generator.mu.fill_(3.0)
        networks.generator.sigma.fill_(-2.0)
    z = torch.randn(10, 1, generator=torch.Generator().manual_seed(0))
    assert torch.equal(networks.generator(z), 3 - 2 * z)
