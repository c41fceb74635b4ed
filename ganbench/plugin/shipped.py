"""The shipped plugins and suites: where they are, and which plugins the package itself takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

#: Beside the plugins, and the only place that says which of them the package takes.
CHOSEN = "defaults.yaml"
_PACKAGE = Path(__file__).resolve().parents[1]


def folder(name: Literal["plugins", "suites"]) -> Path:
    """The folder of the shipped plugins or suites, inside an installed wheel or beside the package in a checkout."""
    inside = _PACKAGE / "shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True)
class Chosen:
    """Which plugins the package takes, as a suite would name them.

    ``parts``: those of a variant that does not say; ``references``, ``metrics``: of a suite that does not. ``floor``:
    the reference that stands in every table, the data itself. ``check``: what the conformance kit plays with.
    """

    parts: Mapping[str, Any]
    references: tuple[str, ...]
    metrics: tuple[str, ...]
    floor: str
    check: Mapping[str, Any]


@cache
def chosen() -> Chosen:
    """What plugins/defaults.yaml says, read once."""
    import yaml

    written = yaml.safe_load((folder("plugins") / CHOSEN).read_text(encoding="utf-8"))
    return Chosen(
        parts=written["parts"],
        references=tuple(written["references"]),
        metrics=tuple(written["metrics"]),
        floor=written["floor"],
        check=written["check"],
    )
