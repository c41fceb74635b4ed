"""Where a run came from: versions, device and the state of the code, so that its numbers can be had again."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Any


def versions() -> dict[str, str]:
    """The versions of all that computes: Python, the platform, ganbench and the libraries under it."""
    import numpy
    import pandas
    import scipy
    import torch

    import ganbench

    libraries = {module.__name__: str(module.__version__) for module in (ganbench, torch, numpy, scipy, pandas)}
    return {"python": platform.python_version(), "platform": platform.platform(), **libraries}


def source() -> str:
    """A hash of ganbench's own code: two runs of the same suite by different code are two runs."""
    import ganbench

    home = Path(ganbench.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(home.rglob("*.py")):
        digest.update(f"{file.relative_to(home)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def device(name: str) -> dict[str, Any]:
    """What ``name`` (``cpu``, ``cuda``, ``cuda:1``...) is on this machine; memory in bytes.

    Only what stays as it is between two runs, so that two descriptions can be compared.
    """
    import torch

    description: dict[str, Any] = {
        "device": name,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    if torch.device(name).type == "cuda":
        properties = torch.cuda.get_device_properties(torch.device(name))
        description |= {
            "gpu": properties.name,
            "memory": properties.total_memory,
            "driver": _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader,nounits", "--id=0"),
            "cuda": torch.version.cuda,
        }
    return description


def git(file: Path) -> dict[str, Any] | None:
    """The commit that ``file`` is part of, and whether its repository differs from it.

    None without git, outside a repository, and for a file that the repository around it does not track: an
    installed package inside somebody's project is not described by that project's commits.
    """
    folder = str(file.resolve().parent)
    if _said("git", "-C", folder, "ls-files", "--error-unmatch", "--", file.name) is None:
        return None
    return repository(file.resolve().parent)


def repository(around: Path) -> dict[str, Any] | None:
    """The commit that is checked out in the repository around a folder, and whether anything differs from it.

    None without git, and outside a repository.
    """
    folder = str(around.resolve())
    commit = _said("git", "-C", folder, "rev-parse", "HEAD")
    changes = _said("git", "-C", folder, "--no-optional-locks", "status", "--porcelain")
    return None if commit is None else {"commit": commit, "dirty": changes != ""}


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _said(*command: str) -> str | None:
    """What a command prints, stripped; None where it is not there, fails or hangs."""
    # GIT_DIR and its like, set while git runs a hook, would answer for another repository than the folder's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return result.stdout.strip()
