"""The cell of a suite in which a plugin is checked: small, on a CPU, with the plugins of ``plugins/defaults.yaml``."""

from __future__ import annotations

import json
from typing import Any

import torch

from ganbench.plugin.registry import Registry
from ganbench.plugin.shipped import chosen
from ganbench.suite.load import parse
from ganbench.suite.plan import Cell, plan
from ganbench.testing.result import Subject

CPU = torch.device("cpu")
#: Divisible by the sizes of packs.
BATCH = 24
#: The plugins that what is checked plays with.
CHECK = chosen().check


def cell_of(variant: dict[str, Any], registry: Registry, *, data: Any = None, **suite: Any) -> Cell:
    """The cell of a variant, as a suite defines it.

    Args:
        variant: the parts of the variant, as in a suite; missing parts are small defaults.
        registry: the plugins.
        data: the dataset, as in a suite; a ring by default.
        **suite: other keys of the suite.

    Returns:
        The cell.

    Raises:
        SuiteError: the suite has mistakes.
    """
    document = {
        "suite": "conformance",
        "seeds": [0],
        "budget": {"steps": 100, "batch": BATCH},
        "evaluate": {"samples": 500},
        "datasets": {"data": data or CHECK["dataset"]},
        "variants": {"it": {part: CHECK[part] for part in ("loss", "architecture")} | variant},
        "references": [],
    } | suite
    return next(cell for cell in plan(parse(json.dumps(document), registry)) if cell.trained)


def variant_of(subject: Subject) -> dict[str, Any]:
    """The part of a variant that names the plugin with the subject's parameters, as in a suite."""
    chosen = {"name": subject.entry.name, **subject.parameters}
    if subject.entry.kind == "schedule":
        return {"optimizer": {**CHECK["optimizer"], "schedule": chosen}}
    return {subject.entry.kind: chosen}
