"""Where the shipped plugins and suites are: inside an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def folder(name: Literal["plugins", "suites"]) -> Path:
    """The folder of the shipped plugins or suites."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / name
    return inside if inside.is_dir() else package.parent / name
