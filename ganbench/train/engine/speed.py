"""Step throughput, measured alone: after warm-up, in chunks of whole noise blocks, one synchronisation each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

#: About how many seconds of steps are timed, at least and at most how many chunks they are cut into, and how many
#: steps tell how long a chunk may be.
TIMED_SECONDS = 0.4
CHUNKS = (3, 9)
TRIAL_STEPS = 4


@dataclass(frozen=True)
class Speed:
    """Model-steps a second: the median over chunks, and the slowest and fastest chunk.

    A model-step is one step of one replica, with the drawing of its data and latents.
    """

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class CellSpeed:
    """Of one cell: all its replicas together, and one model alone, neither batched nor compiled (engine ``serial``)."""

    together: Speed
    one: Speed


def measure_speed(run: Callable[[int, int], None], block: int, replicas: int, device: torch.device) -> Speed:
    """Time ``run(start, stop)``, which runs steps of all replicas, whole noise blocks of ``block`` steps at a time.

    Where a block would take too long, a part of it: the drawing of noise then weighs little beside the steps.
    """
    _timed(run, 0, 1, device)
    trial = _timed(run, 1, 1 + TRIAL_STEPS, device) / TRIAL_STEPS
    chunk = block if block * trial < TIMED_SECONDS else max(1, int(TIMED_SECONDS / CHUNKS[0] / trial))
    count = min(max(round(TIMED_SECONDS / (chunk * trial)), CHUNKS[0]), CHUNKS[1])
    # From the start of a block, after one warm-up chunk.
    seconds = [_timed(run, block + i * chunk, block + (i + 1) * chunk, device) for i in range(count + 1)][1:]
    rates = [chunk * replicas / second for second in seconds]
    return Speed(statistics.median(rates), min(rates), max(rates))


def _timed(run: Callable[[int, int], None], start: int, stop: int, device: torch.device) -> float:
    begin = time.perf_counter()
    run(start, stop)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin
