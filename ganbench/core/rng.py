"""Random streams: each draw is a function of (seed, purpose, index) alone, never of global state.

So a seed's numbers do not depend on the other seeds of its batch, every variant gets the same data and latents
(comparisons are paired), and resuming needs no saved generator state. CPU and CUDA generators give different numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def key(seed: int, purpose: str, index: int = 0) -> int:
    """The seed of a generator: a number that depends on (seed, purpose, index) alone.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose, such as a block of steps.

    Returns:
        A number from 0 to below 2^63; a CPU generator uses its lower 32 bits.
    """
    text = f"{seed}/{purpose}/{index}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def stream(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator for one purpose, e.g. ``stream(3, "real.0", block)``.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose, such as a block of steps.
        device: where the generator draws.

    Returns:
        A generator that ``key(seed, purpose, index)`` has seeded.
    """
    return torch.Generator(device).manual_seed(key(seed, purpose, index))


@contextmanager
def isolated(seed: int, purpose: str, index: int = 0) -> Iterator[None]:
    """Seed torch's global generators for code that draws from them, and restore their states afterwards.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose.

    Yields:
        Nothing; the generators are seeded with ``key(seed, purpose, index)`` inside the block.
    """
    # Does not initialise CUDA: only where that is done already has it a state to restore.
    cuda = list(range(torch.cuda.device_count())) if _cuda_initialised() else []
    with torch.random.fork_rng(devices=cuda):
        reseed(seed, purpose, index)
        yield


def reseed(seed: int, purpose: str, index: int = 0) -> None:
    """Seed torch's global generators as ``isolated`` does; to be called inside ``isolated`` only.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose.
    """
    torch.default_generator.manual_seed(key(seed, purpose, index))
    if _cuda_initialised():
        torch.cuda.manual_seed_all(key(seed, purpose, index))


def _cuda_initialised() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
