"""The device that is proved: CUDA; with ``--dry`` a CPU, and less of everything."""

from __future__ import annotations

import pytest
import torch


def pytest_addoption(parser):
    parser.addoption("--dry", action="store_true", help="prove.sh: on a CPU, with a few cases, to see that it works")


@pytest.fixture(scope="session")
def dry(request) -> bool:
    """Whether this is no proof, on a CPU."""
    return bool(request.config.getoption("--dry", default=False))


@pytest.fixture(scope="session")
def cpu(dry) -> torch.device:
    """What the shared fixtures train on: here the device that is proved, where elsewhere it is a CPU."""
    return torch.device("cpu" if dry else "cuda")


@pytest.fixture(scope="session")
def needs_cuda(dry) -> None:
    """Skips what a CPU has no part of."""
    if dry:
        pytest.skip("needs CUDA")
