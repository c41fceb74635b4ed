"""Whether the numbers of two sides mean the same; if not, why."""

from __future__ import annotations

from ganbench.compare.side import Name, Side


def incomparable(base: Side, new: Side, name: Name) -> str:
    """Why the numbers of a case, which both sides have, mean something else on them; empty where they do not."""
    ours, theirs = new.protocol, base.protocol
    if ours["version"] != theirs["version"]:
        return f"measured by protocol {theirs['version']}, now {ours['version']}"
    if ours["datasets"][name[0]] != theirs["datasets"][name[0]]:
        return f"the data set is another: {_change(theirs['datasets'][name[0]], ours['datasets'][name[0]])}"
    for part in ("budget", "evaluate"):
        if ours[part] != theirs[part]:
            return f"{part} is another: {_change(theirs[part], ours[part])}"
    return ""


def metric_differs(base: Side, new: Side, measure: str) -> str:
    """Why a measure, by its name, is another on the base; empty where it is not, and where no metric fills it."""
    name = new.metric_of.get(measure) or next(
        (new.metric_of[column.name] for column in new.columns.values() if measure in column.of_seed), ""
    )
    if name and name not in base.protocol["metrics"]:
        return f"the base has no metric {name!r}"
    ours, theirs = (side.protocol["metrics"].get(name) for side in (new, base))
    return f"the metric {name!r} is another: {_change(theirs, ours)}" if ours != theirs else ""


def _change(base: object, new: object) -> str:
    """What differs between two choices, or two mappings, of a resolved suite."""
    if isinstance(base, dict) and isinstance(new, dict):
        keys = [key for key in {**base, **new} if base.get(key) != new.get(key)]
        return ", ".join(f"{key} {base.get(key)} -> {new.get(key)}" for key in keys)
    return f"{base} -> {new}"
