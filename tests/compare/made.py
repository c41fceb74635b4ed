"""Sides made by hand: cases whose seeds say what a test wants them to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from columns import SHIPPED

from ganbench.compare.sides.compared_run import Case, ComparedRun, Seed
from ganbench.record.status import Status

COLUMNS = {
    column.name: column
    for column in (
        SHIPPED["jsd"],
        replace(SHIPPED["modes_covered"], unit="modes"),
        SHIPPED["all_modes"],
        *(SHIPPED[f"model_steps_per_second{end}"] for end in ("", "_low", "_high")),
        SHIPPED["operations_per_step"],
        SHIPPED["peak_memory"],
    )
}
METRIC_OF = {
    "jsd": "jsd",
    "modes_covered": "modes",
    "all_modes": "modes",
    "model_steps_per_second": "throughput",
    "model_steps_per_second_low": "throughput",
    "model_steps_per_second_high": "throughput",
    "operations_per_step": "cost",
    "peak_memory": "cost",
}
PROTOCOL = {
    "version": 1,
    "budget": {"steps": 1000, "batch": 64},
    "evaluate": {"every": 100, "samples": 4000},
    "datasets": {"ring8": {"name": "ring", "modes": 8}, "grid25": {"name": "grid", "side": 5}},
    "metrics": {"jsd": {"name": "jsd"}, "modes": {"name": "modes", "share": 0.2}, "cost": {"name": "cost"}}
    | {"throughput": {"name": "throughput"}},
}
DEVICE = {"device": "cpu", "cpu": "A processor", "cores": 2, "threads": 2}
VERSIONS = {"ganbench": "0.1", "torch": "2.15.0"}


def case(
    jsd: Sequence[float | None] = (),
    all_modes: Sequence[bool | None] | None = None,
    held: Sequence[float | None] | None = None,
    *,
    variant: str = "minimax",
    dataset: str = "ring8",
    status: Mapping[int, Status] | None = None,
    speed: Mapping[str, float] | None = None,
    counts: Mapping[str, float] | None = None,
    message: str = "",
    first: int = 0,
    **said: Sequence[Any],
) -> Case:
    """A case of as many seeds as there are JSDs; what is not given is not said. ``first``: the first seed."""
    columns = {"jsd": jsd, "all_modes": all_modes, "held_all_modes_step": held, **said}
    spoken = {name: values for name, values in columns.items() if values is not None}
    seeds = {
        first + at: Seed(
            (status or {}).get(at, Status.DONE), {name: values[at] for name, values in spoken.items()}, message
        )
        for at in range(len(jsd))
    }
    return Case(dataset, variant, seeds, speed or {}, counts or {})


def side(*cases: Case, label: str = "a side", **changes: Any) -> ComparedRun:
    """A side of these cases."""
    known: dict[str, Any] = {
        "suite": "made",
        "protocol": PROTOCOL,
        "columns": COLUMNS,
        "metric_of": METRIC_OF,
        "device": DEVICE,
        "versions": VERSIONS,
    }
    named = {(one.dataset, one.variant): one for one in cases}
    return ComparedRun(label=label, cases=named, **{**known, **changes})
