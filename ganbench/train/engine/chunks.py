"""How many replicas run at once: as many as fit into a core's cache, or into the memory that they may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ganbench.core.threads import fitting
from ganbench.train.engine.cost import StepCost

#: Bytes of a core's own cache, in which a step's tensors should stay on a CPU. A constant, not this machine's size: so
#: a suite gives the same numbers, bit by bit, on machines that differ in their caches alone.
CACHE = 2**21
#: The largest chunk on a CPU.
MOST = 32
#: The time that a call takes besides its steps, in model-steps of the smallest networks.
CALL = 0.5
#: The share of the free memory that may be used, and how many times a single model's peak a replica takes in a batch.
FREE = 0.7
SPARE = 1.5
#: The most that a chunk may take on a CPU: nearly any machine has so much, and they all choose the same chunks.
MOST_BYTES = 2**32


@dataclass(frozen=True)
class Chunks:
    """``replicas`` in chunks of ``size``; ``workers`` chunks run at a time, each with ``threads`` threads."""

    replicas: int
    size: int
    workers: int = 1
    threads: int = 1

    def parts(self) -> list[range]:
        """The replicas of each chunk; the last chunk may have fewer."""
        return [range(at, min(at + self.size, self.replicas)) for at in range(0, self.replicas, self.size)]

    def smaller(self, size: int) -> Chunks:
        """Chunks of this size, one at a time."""
        return replace(self, size=size, workers=1, threads=self.threads * self.workers)

    def halved(self) -> Chunks:
        """Chunks of half the size, one at a time; unchanged where one replica runs at a time already."""
        return self.smaller(math.ceil(self.size / 2))


def chunks_for(engine: str, replicas: int, cost: StepCost, block: int, most_bytes: int, device: torch.device) -> Chunks:
    """The chunks of an engine.

    Args:
        engine: its name
        replicas: how many replicas train
        cost: the cost of a step of one model
        block: how many steps random numbers are drawn for at once
        most_bytes: what a chunk may take, see ``chunk_bytes``
        device: the device that it trains on

    Returns:
        The chunks.
    """
    if engine == "compiled" and device.type == "cpu":
        return in_cache(replicas, cost, torch.get_num_threads())
    numbers = cost.peak_bytes / 4
    if engine == "serial":
        return Chunks(replicas, 1, 1, fitting(numbers))
    return in_memory(replicas, cost, block, most_bytes, fitting(numbers * replicas))


def in_cache(replicas: int, cost: StepCost, threads: int) -> Chunks:
    """The chunks of a compiled step on a CPU: one core for each chunk, of a size that fits into a core's cache.

    All chunks have one size (the last one is filled up): of the sizes that fit, the one that finishes first.

    Args:
        replicas: how many replicas train
        cost: the cost of a step of one model
        threads: how many threads there are

    Returns:
        The chunks.
    """
    workers = min(threads, replicas)
    most = min(max(1, CACHE // (cost.state_bytes + cost.peak_bytes)), MOST)

    def time(size: int) -> float:
        return math.ceil(math.ceil(replicas / size) / workers) * (size + CALL)

    size = min(range(1, most + 1), key=lambda size: (time(size), -size))
    return Chunks(replicas, size, workers, max(1, threads // workers))


def in_memory(replicas: int, cost: StepCost, block: int, most_bytes: int, threads: int) -> Chunks:
    """The chunks of any other step: as many replicas at once as fit into so many bytes, in equal chunks.

    Args:
        replicas: how many replicas train
        cost: the cost of a step of one model
        block: how many steps random numbers are drawn for at once
        most_bytes: what a chunk may take, see ``chunk_bytes``
        threads: how many threads a chunk may use

    Returns:
        The chunks, one at a time.
    """
    each = SPARE * cost.peak_bytes + 2 * cost.state_bytes + cost.draw_bytes * block
    most = max(1, int(min(replicas, most_bytes / max(1.0, each))))
    count = math.ceil(replicas / most)
    return Chunks(replicas, math.ceil(replicas / count), 1, threads)


def chunk_bytes(device: torch.device) -> int:
    """The bytes that a chunk may take: of the device's memory that is free now a share, rounded down to a power of two.

    So machines of one kind, whose free memory is never quite the same, have the same chunks and round in the same way.
    """
    free = FREE * free_memory(device)
    if device.type != "cuda":
        free = min(free, MOST_BYTES)
    return 1 << math.floor(math.log2(max(1.0, free)))


def free_memory(device: torch.device) -> float:
    """The free memory of a device in bytes; infinite where the system does not give it."""
    if device.type == "cuda":
        # Memory that torch has reserved and does not use is free too.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return float(torch.cuda.mem_get_info(device)[0] + held)
    lines = _read("/proc/meminfo").splitlines()
    free = next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable:")), math.inf)
    # A container may use less than the machine has. Its cached files count as used, but are dropped when needed.
    limit, used = (_read(f"/sys/fs/cgroup/memory.{what}").strip() for what in ("max", "current"))
    if limit.isdigit() and used.isdigit():
        stat = dict(line.split() for line in _read("/sys/fs/cgroup/memory.stat").splitlines())
        free = min(free, float(limit) - float(used) + float(stat.get("inactive_file", 0)))
    return max(0.0, free)


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
