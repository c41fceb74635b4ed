"""How many replicas run at once: as many as a processor's cache, or the memory there is, holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ganbench.train.engine.cost import StepCost

#: On a CPU a step's tensors should stay in a core's own cache. A constant, not this machine's: the same suite then
#: gives the same numbers to the bit on all machines that are alike in everything else.
CACHE = 2**21
MOST = 32
#: A call's own cost, in model-steps of the smallest networks.
CALL = 0.5
#: What of the memory that is free may be used, and what a batched step holds beyond one model's count.
FREE = 0.7
SPARE = 1.5


@dataclass(frozen=True)
class Chunks:
    """``replicas`` in chunks of ``size``, of which ``workers`` run at a time, each with ``threads`` threads."""

    replicas: int
    size: int
    workers: int = 1
    threads: int = 1

    def parts(self) -> list[range]:
        """The replicas of each chunk; the last may be short."""
        return [range(at, min(at + self.size, self.replicas)) for at in range(0, self.replicas, self.size)]

    def halved(self) -> Chunks:
        """Half as many at once, and no two chunks side by side; the same where that is so already."""
        return replace(self, size=math.ceil(self.size / 2), workers=1, threads=self.threads * self.workers)


def in_cache(replicas: int, cost: StepCost, threads: int) -> Chunks:
    """For a compiled step on a CPU: a core a chunk, of a size that a core's cache holds.

    Chunks are all of one size, the last filled up: of all sizes that fit, the one that is done first.
    """
    workers = min(threads, replicas)
    most = min(max(1, CACHE // (cost.state_bytes + cost.peak_bytes)), MOST)

    def time(size: int) -> float:
        return math.ceil(math.ceil(replicas / size) / workers) * (size + CALL)

    size = min(range(1, most + 1), key=lambda size: (time(size), -size))
    return Chunks(replicas, size, workers, max(1, threads // workers))


def in_memory(replicas: int, cost: StepCost, block: int, device: torch.device, threads: int) -> Chunks:
    """For a step that is run whole: as many replicas as the memory that is free now holds, in equal chunks.

    block: steps that are drawn for at once.
    """
    each = SPARE * cost.peak_bytes + 2 * cost.state_bytes + cost.draw_bytes * block
    most = max(1, int(min(replicas, FREE * free_memory(device) / max(1.0, each))))
    count = math.ceil(replicas / most)
    return Chunks(replicas, math.ceil(replicas / count), 1, threads)


def free_memory(device: torch.device) -> float:
    """Bytes that can be had on a device; without end where the system does not tell."""
    if device.type == "cuda":
        # What torch holds of it and does not use can be had too.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return float(torch.cuda.mem_get_info(device)[0] + held)
    lines = _read("/proc/meminfo").splitlines()
    free = next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable:")), math.inf)
    # A container may be allowed less than its machine has. What it holds of files that it has read gives way.
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
