"""Where a run came from: versions, device and a hash of the code, so that its numbers can be reproduced."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def versions() -> dict[str, str]:
    """The versions of all that takes part in computing: Python, the platform, ganbench and its libraries."""
    import numpy
    import pandas
    import scipy
    import torch

    # The package is imported before any module of it, and imports its public names from rooms that import this one.
    package = sys.modules["ganbench"]
    libraries = {module.__name__: str(module.__version__) for module in (package, torch, numpy, scipy, pandas)}
    return {"python": platform.python_version(), "platform": platform.platform(), **libraries}


def source() -> str:
    """A hash of ganbench's own code: the same suite run by different code is a different run."""
    home = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(home.rglob("*.py")):
        digest.update(f"{file.relative_to(home)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


#: What changes how numbers are computed, or which. The number of threads is the device's.
_VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)


def environment() -> dict[str, str]:
    """The environment variables that change how numbers are computed, where they are set."""
    return {name: os.environ[name] for name in _VARIABLES if name in os.environ}


def device(name: str) -> dict[str, Any]:
    """What ``name`` (``cpu``, ``cuda``, ``cuda:1``...) is on this machine; memory in bytes.

    It holds only what does not change between two runs, so that two descriptions can be compared.
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
            "driver": _printed("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader,nounits", "--id=0"),
            "cuda": torch.version.cuda,
        }
    return description


def kind(described: Mapping[str, Any]) -> str:
    """The kind of a device that ``device`` describes, in a line: where it is the same, clocks compare.

    Which of a machine's equal GPUs it is makes no difference.
    """
    cpu = f"{described.get('cpu')}, {described.get('cores')} cores, {described.get('threads')} threads"
    if "gpu" not in described:
        return cpu
    memory = f"{described['memory'] / 2**30:.0f} GiB"
    return f"{described['gpu']}, {memory}, driver {described['driver']}, CUDA {described['cuda']}, with {cpu}"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return _printed("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _printed(*command: str) -> str | None:
    """What a command prints, stripped; None where it is not installed, fails or hangs."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return result.stdout.strip()
