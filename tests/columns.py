"""Material: columns as run.json has them, those with a shipped one's name with its role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ganbench.plugin.column import Column
from ganbench.plugin.registry import Registry

METRICS = [entry.value for entry in Registry.load().entries if entry.kind == "metric"]
SHIPPED: dict[str, Column] = {column.name: column for metric in METRICS for column in metric.columns}


def column(name: str, *, metric: str = "m", **said: Any) -> dict[str, Any]:
    """A column; what is not ``said`` of it is as the shipped one of its name has it, or else the usual."""
    return {"metric": metric, **replace(SHIPPED.get(name, Column(name, name)), **said).to_json()}
