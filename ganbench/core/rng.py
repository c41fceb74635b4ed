"""Random streams: each draw is a function of (seed, purpose, index) alone, never of global state.

So a seed's numbers do not depend on its batch mates, every variant sees the same data and latents (comparisons
are paired), and resuming needs no saved generator state. CPU and CUDA generators give different numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def key(seed: int, purpose: str, index: int = 0) -> int:
    """A number below 2^63 that only (seed, purpose, index) decides; a CPU generator uses its lower 32 bits."""
    text = f"{seed}/{purpose}/{index}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def stream(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator for one purpose, e.g. ``stream(3, "real.0", block)``."""
    return torch.Generator(device).manual_seed(key(seed, purpose, index))


@contextmanager
def isolated(seed: int, purpose: str, index: int = 0) -> Iterator[None]:
    """Seed torch's global generators for code that insists on them, and put them back as they were."""
    # CUDA is left asleep where nobody has woken it.
    cuda = list(range(torch.cuda.device_count())) if _cuda_awake() else []
    with torch.random.fork_rng(devices=cuda):
        reseed(seed, purpose, index)
        yield


def reseed(seed: int, purpose: str, index: int = 0) -> None:
    """Seed torch's global generators, as ``isolated`` does; only inside it."""
    torch.default_generator.manual_seed(key(seed, purpose, index))
    if _cuda_awake():
        torch.cuda.manual_seed_all(key(seed, purpose, index))


def _cuda_awake() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
