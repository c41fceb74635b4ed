"""What machine this is, and whether all is there that the other steps of prove.sh need."""

from __future__ import annotations

import importlib.util
import sys

NEEDED = (
    *("click", "filelock", "jinja2", "numpy", "pandas", "pluggy", "pydantic", "rich", "scipy", "sklearn", "yaml"),
    *("hypothesis", "pytest", "pytest_benchmark", "xdist"),
)


def main(device: str) -> int:
    """Print both; 1 where a module is missing, or where there is no such device."""
    missing = [name for name in (*NEEDED, "torch") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}; give a folder with their wheels, --wheels DIR")
        return 1
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        print("torch sees no CUDA device here; --dry tries the script on a CPU")
        return 1
    from ganbench.record.provenance import device as described
    from ganbench.record.provenance import kind

    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, {kind(described(device))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
