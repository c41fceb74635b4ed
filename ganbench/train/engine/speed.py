"""Step throughput, measured alone: after warm-up, in chunks of whole random blocks, with one synchronisation each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

#: About how many seconds of steps are timed, into how many chunks they are divided (at least, at most), and how many
#: steps are timed first, to choose the length of a chunk.
TIMED_SECONDS = 0.4
CHUNKS = (3, 9)
FIRST_STEPS = 4


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
    """The speed of one cell: all its replicas together, and one model alone, compiled where these are, else serial."""

    together: Speed
    one: Speed


def measure_speed(run: Callable[[int, int], None], block: int, replicas: int, device: torch.device) -> Speed:
    """Time training steps, a chunk of one random block at a time.

    Where a block would take too long, a chunk is a part of it: drawing then takes little time compared with the steps.

    Args:
        run: ``run(start, stop)`` runs steps of all replicas
        block: how many steps random numbers are drawn for at once
        replicas: how many replicas ``run`` trains
        device: the device that it trains on

    Returns:
        The speed in model-steps a second.
    """
    _timed(run, 0, 1, device)
    step = _timed(run, 1, 1 + FIRST_STEPS, device) / FIRST_STEPS
    chunk = block if block * step < TIMED_SECONDS else max(1, int(TIMED_SECONDS / CHUNKS[0] / step))
    count = min(max(round(TIMED_SECONDS / (chunk * step)), CHUNKS[0]), CHUNKS[1])
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
