"""How many processors this process may use: those of its affinity, and of those no more than its container's quota.

A quota is a share of time, which neither Python nor torch looks at. With a thread for each processor of the machine all
would wait for those whose time is used up.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

#: Where control groups of the processor are, of version 2 and of version 1.
_SECOND, _FIRST = ("sys/fs/cgroup",), ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct")


def allowed(root: Path = Path("/")) -> int:
    """How many processors this process may use, at least 1; ``root``: where proc and sys are."""
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(known, quota(root))))


def quota(root: Path = Path("/")) -> float:
    """The least quota of the control groups that this process is in, in processors; infinite where there is none.

    ``root``: where proc and sys are.
    """
    return min(map(_of_group, _groups(root)), default=math.inf)


def _groups(root: Path) -> Iterator[Path]:
    try:
        lines = (root / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = (*line.split(":", 2), "-", "")[:3]
        homes = _SECOND if not controllers else _FIRST if "cpu" in controllers.split(",") else ()
        for home in (root / one for one in homes):
            # In a container the path may be the host's: its own group is then the first one.
            inner = home / place.strip("/")
            yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(home))


def _of_group(folder: Path) -> float:
    try:
        if (both := folder / "cpu.max").is_file():
            time, period = both.read_text().split()
        else:
            time, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(time) / int(period) if int(time) > 0 else math.inf
    except (OSError, ValueError, ArithmeticError):  # "max", or no such file
        return math.inf
