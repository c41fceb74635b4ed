"""Whether the numbers of two runs can be compared; if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganbench.compare.sides.compared_run import ComparedRun, Name
from ganbench.record.same_data import other_data


def incomparable(base: ComparedRun, new: ComparedRun, name: Name) -> str:
    """Why the numbers of a case cannot be compared between two runs.

    Args:
        base: The base run.
        new: The new run.
        name: The case, which both runs have.

    Returns:
        The reason; empty where they can be compared.
    """
    ours, theirs = new.protocol, base.protocol
    if ours["version"] != theirs["version"]:
        return f"measured by protocol {theirs['version']}, now {ours['version']}"
    if ours["datasets"][name[0]] != theirs["datasets"][name[0]]:
        return f"the data set is another: {_change(theirs['datasets'][name[0]], ours['datasets'][name[0]])}"
    if _other_data(base, new, name[0]):
        return "the data differ"
    if reason := _other_file(base, new, "dataset", ours["datasets"][name[0]]):
        return reason
    for part in ("budget", "evaluate"):
        if ours[part] != theirs[part]:
            return f"{part} is another: {_change(theirs[part], ours[part])}"
    return ""


def metric_differs(base: ComparedRun, new: ComparedRun, measure: str) -> str:
    """Why a measure is not the same on two runs.

    Args:
        base: The base run.
        new: The new run.
        measure: The measure's name.

    Returns:
        The reason; empty where it is the same, and where no metric fills it.
    """
    name = new.metric_of.get(measure) or next(
        (new.metric_of[column.name] for column in new.columns.values() if measure in column.of_seed), ""
    )
    if name and name not in base.protocol["metrics"]:
        return f"the base has no metric {name!r}"
    ours, theirs = (run.protocol["metrics"].get(name) for run in (new, base))
    if ours != theirs:
        return f"the metric {name!r} is another: {_change(theirs, ours)}"
    return _other_file(base, new, "metric", ours) if name else ""


def _other_file(base: ComparedRun, new: ComparedRun, kind: str, choice: Any) -> str:
    """Why a plugin that numbers depend on differs though its name and parameters do not: its file differs."""
    plugin = choice.get("name") if isinstance(choice, Mapping) else choice
    ours, theirs = (run.plugins.get(f"{kind} {plugin}") for run in (new, base))
    differs = ours is not None and theirs is not None and ours != theirs
    if differs:
        return f"the file of the {kind} {plugin!r} is another"
    before, now = (run.uses.get(f"{kind} {plugin}") for run in (base, new))
    if before is not None and now is not None:
        for file in {**before, **now}:
            # What a dataset reads is in its data.
            if before.get(file) != now.get(file) and (kind != "dataset" or file.endswith(".py")):
                return f"the file {file}, which the {kind} {plugin!r} uses, is another"
    return ""


def _other_data(base: ComparedRun, new: ComparedRun, dataset: str) -> bool:
    """Whether the data are others though the data set and its file are the same; False where that is not known."""
    return other_data(base.data.get(dataset), new.data.get(dataset), one_machine=base.machine == new.machine)


def _change(base: object, new: object) -> str:
    """What differs between two choices, or two mappings, of a resolved suite."""
    if isinstance(base, dict) and isinstance(new, dict):
        keys = [key for key in {**base, **new} if base.get(key) != new.get(key)]
        return ", ".join(f"{key} {base.get(key)} -> {new.get(key)}" for key in keys)
    return f"{base} -> {new}"
