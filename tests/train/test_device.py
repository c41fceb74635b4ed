"""Whether a device can be computed on: an error that is over, or a full memory, is no device that is lost."""

from __future__ import annotations

import pytest
import torch

from ganbench.train import device
from ganbench.train.device import NoDeviceError, check_device, failure

CUDA = torch.device("cuda")
ASSERTED = (
    "CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."
)


@pytest.fixture
def computes(monkeypatch):
    """Let computations raise these errors, one after another, and then nothing."""

    def raising(*errors):
        left = list(errors)

        def compute(on):
            if left:
                raise left.pop(0)

        monkeypatch.setattr(device, "_compute", compute)

    return raising


def test_a_device_that_always_fails_is_told_in_a_line(computes):
    computes(*[torch.AcceleratorError(ASSERTED)] * 4)
    assert failure(CUDA) == "AcceleratorError: CUDA error: device-side assert triggered"
    with pytest.raises(
        NoDeviceError, match=r"^device 'cuda': nothing can be computed on it: AcceleratorError: .*ered$"
    ):
        check_device(CUDA)


def test_an_error_that_is_over_is_no_failure(computes):
    computes(torch.AcceleratorError("CUDA error: invalid configuration argument"))
    assert failure(CUDA) == ""


def test_a_memory_that_is_full_is_no_failure(computes):
    computes(*[torch.OutOfMemoryError("CUDA out of memory.")] * 2)
    assert failure(CUDA) == ""


def test_a_cpu_always_works(computes):
    computes(RuntimeError("not asked"))
    assert failure(torch.device("cpu")) == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there_fails_with_what_torch_says_of_it():
    assert failure(CUDA)
