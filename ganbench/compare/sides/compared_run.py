"""One of the two runs of a comparison, or a baseline saved from one: its numbers for each case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganbench.plugin.column import Column
from ganbench.record.status import Status
from ganbench.suite.guard import Guard

#: A case: a data set and a variant, by their names in the suite.
Name = tuple[str, str]


@dataclass(frozen=True)
class Seed:
    """How one seed ended, and its row of seeds.csv: numbers (infinities too), true or false, or None."""

    status: Status
    values: Mapping[str, float | bool | None]
    message: str = ""


@dataclass(frozen=True)
class Case:
    """One trained row of a suite with its seeds, and what was measured of them together.

    ``speed``: the columns that hold time. ``counts``: the others. Empty where no metric measured them. ``failures``: a
    line for each metric that failed. ``void``: where the suite expects something of the row and it did not end so, what
    happened.
    """

    dataset: str
    variant: str
    seeds: Mapping[int, Seed]
    speed: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    void: str = ""


@dataclass(frozen=True)
class ComparedRun:
    """All that a comparison knows of one of its two runs; derived from a run or read from a baseline.

    ``label``: as the user named it. ``protocol``: what has to be the same for two numbers to mean the same; ``version``
    of ``metrics.PROTOCOL``, ``budget``, ``evaluate``, ``datasets`` and ``metrics`` (by name, as the resolved suite has
    each). ``columns``: those of the run. ``metric_of``: which metric fills a column. ``guard``: the suite's floors, by
    variant; those of all under "". ``device``, ``versions``: as in run.json. ``git``: the commit of the repository that
    the run was made in. ``plugins``: the sha256 of each one's file, by kind and name, "metric jsd". ``variants``: how
    each is trained, as the resolved suite has it. ``uses``: the sha256 of each file that a plugin imports or reads,
    by kind and name of the plugin. ``data``: the fingerprint of each data set; older runs have neither of the two.
    """

    label: str
    suite: str
    protocol: Mapping[str, Any]
    columns: Mapping[str, Column]
    metric_of: Mapping[str, str]
    cases: Mapping[Name, Case]
    guard: Mapping[str, Guard] = field(default_factory=dict)
    device: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git: Mapping[str, Any] | None = None
    plugins: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, Any] = field(default_factory=dict)
    uses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """The generator steps that each seed was given."""
        return int(self.protocol["budget"]["steps"])

    @property
    def void(self) -> list[str]:
        """A line for each row that did not end as the suite expects; empty where the run is not void."""
        return [f"it is void: {case.dataset}/{case.variant} {case.void}" for case in self.cases.values() if case.void]

    @property
    def machine(self) -> tuple[Any, ...]:
        """The device, and all versions but ganbench's: where two runs share it, only ganbench differs."""
        others = {name: version for name, version in self.versions.items() if name != "ganbench"}
        return (sorted(self.device.items()), sorted(others.items()))


def number(value: float | bool | None) -> float | None:
    """The value of a seed as a number; None where it has none."""
    return None if value is None or math.isnan(value) else float(value)
