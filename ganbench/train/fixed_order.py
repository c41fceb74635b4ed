"""A fixed order of adding up on a GPU, so that what is computed twice can be compared."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_NO_ORDER = "does not have a deterministic implementation"


@contextmanager
def fixed_order(device: torch.device) -> Iterator[list[str]]:
    """Let a GPU add up in the same order each time, as a CPU does; slower, so it is for checks, not for training.

    ``device``: where the block computes. Yields a list that gets the operations of the block, as torch names them, for
    which torch has no such order.
    """
    without: list[str] = []
    if device.type != "cuda":
        yield without
        return
    cudnn: Any = torch.backends.cudnn
    memory: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    flags = cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory
    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=f".*{_NO_ORDER}")
        # Of cuBLAS, which has an order where one stream is used, as here.
        warnings.filterwarnings("ignore", message="Deterministic behavior was enabled")
        show = warnings.showwarning

        def note(message: Warning | str, *about: Any, **more: Any) -> None:
            if _NO_ORDER in str(message):
                without.append(str(message).partition(" ")[0])
            else:
                show(message, *about, **more)

        warnings.showwarning = note
        try:
            torch.use_deterministic_algorithms(True, warn_only=True)
            # Memory that nobody has written must not read the same each time.
            cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory = True, False, False
            yield without
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory = flags
