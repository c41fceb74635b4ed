"""Whose code it is: a library's, an installed package's, or the user's own, which no version stands for."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

#: What ganbench runs on, beside Python: libraries also where they are built from a checkout.
_LIBRARIES = frozenset({"ganbench", "torch", "numpy", "scipy", "pandas", "sklearn", "pydantic", "pluggy"})
_FOLDERS = frozenset({"site-packages", "dist-packages"})
#: Where Python, its packages and ganbench are.
_PLACES = (
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    Path(__file__).resolve().parents[1],
)


def library(module: str) -> bool:
    """Whether a module's name is of Python, or of a package that ganbench runs on."""
    top = module.partition(".")[0]
    return top in _LIBRARIES or top in sys.stdlib_module_names


@cache
def installed(file: str) -> bool:
    """Whether a file is of an installation: else it is the user's own. A module without a file, "", is of none."""
    if not file:
        return False
    where = Path(file).resolve()
    return not _FOLDERS.isdisjoint(where.parts) or any(where.is_relative_to(place) for place in _PLACES)


def foreign(module: str) -> bool:
    """Whether a loaded module, by its name, is a library or an installed package: such code is nobody's plugin."""
    return library(module) or installed(file_of(sys.modules.get(module)))


def file_of(module: Any) -> str:
    """The file of a module; empty where it has none."""
    return str(getattr(module, "__file__", None) or "")
