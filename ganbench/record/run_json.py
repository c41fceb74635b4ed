"""The shape of a run.json, for one that another program wrote, or that was edited: what is wrong with it, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.core.expectation import Expectation
from ganbench.core.messages import shown
from ganbench.plugin.column import Better, Summary
from ganbench.plugin.role import Role

#: A whole number that a table can hold.
Whole = Annotated[int, Field(ge=0, lt=2**63)]


class _RunShape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _RunCell(_RunShape):
    id: str
    dataset: str
    variant: str
    seeds: list[Whole]
    steps: Whole
    reference: bool
    family: str
    precision: str
    every: Whole = 0
    expect: Expectation | None = None


class _RunThresholds(_RunShape):
    min_effect: float
    converged: float
    settled: float
    half_lost: float | None = None
    best: float = 0.0
    worst: float | None = None


class _RunColumn(_RunShape):
    metric: str
    name: str
    doc: str
    unit: str
    better: Better
    summary: Summary
    role: Role
    of: str
    thresholds: _RunThresholds | None
    title: str


class _RunPublishedRow(_RunShape):
    model_config = ConfigDict(extra="forbid", strict=True)

    dataset: str
    variant: str
    column: str
    value: float
    decimals: Whole
    se: float | None = None
    sd: float | None = None
    trials: Whole | None = None
    called: str = ""
    unlike: str = ""


class _RunPublished(_RunShape):
    source: str
    rows: list[_RunPublishedRow]


class _RunFile(_RunShape):
    run: str
    cells: list[_RunCell]
    columns: list[_RunColumn]
    shard: str = "1/1"
    plan: list[str] = []
    most_bytes: int = 0
    published: _RunPublished | None = None


def check_run(run: Mapping[str, Any]) -> None:
    """Raise ValueError, in one line, where the content of a run.json is not what a run writes."""
    try:
        _RunFile.model_validate(dict(run))
    except ValidationError as errors:
        first = errors.errors(include_url=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        lacks = first["type"] == "missing"
        what = f"it lacks {place}" if lacks else f"{place} cannot be {shown(first['input'])}"
        raise ValueError(f"its run.json is damaged: {what}") from None
