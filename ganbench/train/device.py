"""The device that a run trains on, and how many threads of its own torch has."""

from __future__ import annotations

import os

import torch

from ganbench.core.cpus import allowed
from ganbench.core.errors import error_line, out_of_memory


class NoDeviceError(RuntimeError):
    """A device cannot be computed on at all; the message, one line, says why."""


def choose(name: str) -> torch.device:
    """The device of a name; ``auto`` is CUDA where there is one, else the CPU. Raises ValueError, in one line.

    Torch then has no more threads than there are processors for this process.
    """
    _fit_threads()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"unknown device {name!r}: choose auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r} is not supported: choose auto, cpu, cuda or cuda:N")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(f"device {name!r}: torch sees no CUDA device here; choose cpu or auto")
        if (device.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"device {name!r}: there are {torch.cuda.device_count()} CUDA devices")
        # Matrix products in full float32, as on a CPU: a benchmark's numbers must not depend on whether a GPU has tf32.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return device


def check_device(device: torch.device) -> None:
    """Raise NoDeviceError where nothing can be computed on a device."""
    if why := failure(device):
        raise NoDeviceError(f"device {str(device)!r}: nothing can be computed on it: {why}")


def failure(device: torch.device) -> str:
    """Why nothing can be computed on a device by this process, in a line; empty where it can, as on any CPU."""
    if device.type == "cpu":
        return ""
    why = ""
    # Twice: an error of an earlier computation, after which the device works, may be told only now.
    for _ in range(2):
        try:
            _compute(device)
        except Exception as error:
            why = "" if out_of_memory(error) else error_line(error)
        else:
            return ""
    return why


def _compute(device: torch.device) -> None:
    """A tiny computation, to its end."""
    torch.ones(2, device=device).add(1).tolist()
    torch.cuda.synchronize(device)


def _fit_threads() -> None:
    """Give torch the threads that this process has processors for, where the user has not said how many."""
    if "OMP_NUM_THREADS" not in os.environ and (processors := allowed()) < torch.get_num_threads():
        torch.set_num_threads(processors)
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", str(processors))


def arithmetic(precision: str, device: torch.device) -> str:
    """The precision that is really used on a device: a CPU has no tf32 and uses float32 instead."""
    return "float32" if precision == "tf32" and device.type != "cuda" else precision


def set_tf32(precision: str, device: torch.device) -> None:
    """Allow tf32 in a GPU's matrix products, or forbid it; this holds for everything that runs after."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
