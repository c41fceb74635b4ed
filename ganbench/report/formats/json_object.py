"""A comparison as one JSON object."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.verdicts.finding import Comparison, Finding
from ganbench.report.sentences import headline, visible


def as_json(comparison: Comparison, *, strict: bool = False, suite_file: str | Path | None = None) -> str:
    """``headline``, ``base``, ``new``, ``findings``, ``visible``, ``notes``, ``exit_code``.

    A finding has all its fields and ``case``: null for what is missing, "inf" or "-inf" for what is infinite.

    Args:
        comparison: The comparison.
        strict: Whether an unsure finding towards worse is a failure, in ``exit_code``.
        suite_file: Not used: the object has no places in a file.

    Returns:
        The JSON text.
    """
    content = {
        "headline": headline(comparison),
        "base": _run(comparison.base),
        "new": _run(comparison.new),
        "findings": [_finding(finding) for finding in comparison.findings],
        "visible": visible(comparison),
        "notes": list(comparison.notes),
        "exit_code": comparison.exit_code(strict=strict),
    }
    return json.dumps(_plain(content), indent=2, allow_nan=False) + "\n"


def _run(run: ComparedRun) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ("label", "suite", "device", "versions", "git")}


def _finding(finding: Finding) -> dict[str, Any]:
    return {"case": finding.case} | {field.name: getattr(finding, field.name) for field in fields(finding)}


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else value
    return value if value is None or isinstance(value, bool | int | float) else str(value)
