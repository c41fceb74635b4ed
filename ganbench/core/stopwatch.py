"""How long work takes: the seconds that pass, and those that it needs on a machine that it has to itself."""

from __future__ import annotations

import os
import time
from typing import Self

import torch


class Stopwatch:
    """Times the work inside ``with Stopwatch(device) as watch``.

    ``passed``: seconds by the clock. ``needed``: on a CPU those that this thread has computed, or all threads of this
    process together, shared out to torch's threads, whichever is more: other programs take none of them. On a GPU, and
    where it is more than has passed, those by the clock.
    """

    passed = needed = 0.0

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> Self:
        self._begin = self._now()
        return self

    def __exit__(self, *error: object) -> None:
        passed, thread, process = (now - begin for now, begin in zip(self._now(), self._begin, strict=True))
        computed = max(thread, process / torch.get_num_threads())
        self.passed, self.needed = passed, passed if self._device.type == "cuda" else min(passed, computed)

    def _now(self) -> tuple[float, float, float]:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter(), time.thread_time(), time.process_time()


def load() -> str:
    """How many programs want to compute, in words; empty where the system does not say."""
    try:
        return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    except (AttributeError, OSError):
        return ""
