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
    """A 63-bit number that only (seed, purpose, index) decides."""
    text = f"{seed}/{purpose}/{index}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def stream(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator for one purpose, e.g. ``stream(3, "real.0", block)``."""
    return torch.Generator(device).manual_seed(key(seed, purpose, index))


@contextmanager
def isolated(seed: int, purpose: str, index: int = 0) -> Iterator[None]:
    """Seed torch's global generators for code that insists on them, and put them back as they were."""
    cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(key(seed, purpose, index))
        yield
