"""The budget of a suite, for what is counted in its generator steps."""

from __future__ import annotations

from typing import Any

from ganbench.plugin.entry import Entry
from ganbench.plugin.types import Schedule
from ganbench.suite.document import Document
from ganbench.suite.schema import Budget


def budget_steps(document: Document) -> int | None:
    """The generator steps of a suite's budget, as written or by default; None where they are a mistake already."""
    suite = document.value if isinstance(document.value, dict) else {}
    budget = suite.get("budget")
    steps = Budget().steps if budget is None else budget.get("steps", Budget().steps) if isinstance(budget, dict) else 0
    return steps if type(steps) is int and steps >= 1 else None


def beyond_budget(entry: Entry, name: str, value: Any, document: Document) -> str:
    """What is wrong with a number of steps that does not end within the budget.

    Args:
        entry: the plugin.
        name: one of its parameters.
        value: the parameter's value, as the plugin reads it.
        document: the suite's document.

    Returns:
        The message; empty where nothing is wrong, or the parameter is no number of steps.
    """
    steps = budget_steps(document)
    if not isinstance(entry.value, Schedule) or name not in entry.value.in_steps or steps is None:
        return ""
    found = [one for one in (value if isinstance(value, list | tuple) else [value]) if one is not None and one >= steps]
    return f"{name} must end before the budget's {steps} steps, not at {found[0]:g}" if found else ""
