"""Random streams: each draw is a function of (seed, purpose, index) alone, never of global state.

So a seed's numbers do not depend on the other seeds of its batch, every variant gets the same data and latents
(comparisons are paired), and resuming needs no saved generator state. CPU and CUDA generators give different numbers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
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
    """Seed the global generators of torch, numpy and Python for code that draws from them, and restore them afterwards.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose.

    Yields:
        Nothing; the generators are seeded with ``key(seed, purpose, index)`` inside the block.
    """
    with restored():
        reseed(seed, purpose, index)
        yield


@contextmanager
def restored() -> Iterator[None]:
    """Restore the global generators of torch, numpy and Python after the block."""
    # Does not initialise CUDA: only where that is done already has it a state to restore.
    cuda = list(range(torch.cuda.device_count())) if _cuda_initialised() else []
    numpy, python = np.random.get_state(legacy=False), random.getstate()
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            np.random.set_state(numpy)
            random.setstate(python)


def reseed(seed: int, purpose: str, index: int = 0) -> None:
    """Seed the global generators as ``isolated`` does; to be called inside ``isolated`` or ``restored`` only.

    Args:
        seed: the seed of a run.
        purpose: what the numbers are drawn for.
        index: which of several streams of that purpose.
    """
    number = key(seed, purpose, index)
    torch.default_generator.manual_seed(number)
    if _cuda_initialised():
        torch.cuda.manual_seed_all(number)
    np.random.seed([number & 0xFFFF_FFFF, number >> 32])
    random.seed(number)


def global_states() -> dict[str, Any]:
    """The states of the global generators, by whose they are: torch, numpy, Python."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    own = [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if _cuda_initialised() else [])]
    return {
        "torch": b"".join(state.numpy().tobytes() for state in own),
        "numpy": (kind, np.asarray(keys).tobytes(), *rest),
        "Python": random.getstate(),
    }


def drawn_since(states: Mapping[str, Any]) -> tuple[str, ...]:
    """Whose global generators have changed since they had these ``states``: somebody has drawn from them."""
    now = global_states()
    return tuple(whose for whose, state in states.items() if now[whose] != state)


def _cuda_initialised() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
