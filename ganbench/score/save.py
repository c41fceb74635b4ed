"""A score on disk: a table like seeds.csv, the samples' row above those of fresh data, or one JSON object."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ganbench.core.disk import write
from ganbench.plugin.column import Column
from ganbench.plugin.types import MetricValue
from ganbench.record import provenance
from ganbench.record.samples import Samples
from ganbench.record.tables.csv_text import as_csv
from ganbench.record.tables.tables import as_rows
from ganbench.score.target import Target
from ganbench.suite.schema import FLOOR


@dataclass(frozen=True)
class Score:
    """The metrics' values of some samples (``values``) and of as much fresh data, seed by seed (``floor``).

    ``columns``: those of the metrics, in order. ``failures``: a line for each metric that raised; its columns are None.
    ``notes``: what the reader should know.
    """

    samples: Samples
    target: Target
    seed: int
    device: str
    columns: tuple[Column, ...]
    values: Mapping[str, MetricValue]
    floor: Mapping[int, Mapping[str, MetricValue]]
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no metric failed, and any gave a number."""
        return not self.failures and any(value is not None for value in self.values.values())


def as_object(score: Score) -> dict[str, Any]:
    """A score as JSON can hold it, infinities as "inf": what ``ganbench score --json`` prints."""
    floors = {column.name: floor(score, column.name) for column in score.columns}
    return {
        **_settings(score),
        "samples": len(score.samples.values),
        "step": score.samples.step,
        "values": _plain(score.values),
        "floor": {name: None if row is None else _plain(row) for name, row in floors.items()},
        "notes": list(score.notes),
        "failures": list(score.failures),
        "versions": provenance.versions(),
    }


def as_frame(score: Score) -> pd.DataFrame:
    """The rows of a score: the samples', then one of fresh data for each seed of the floor.

    dataset, variant (the file, or ``oracle``), seed, step, the metrics' columns, message (the notes), settings (JSON:
    all that decides the numbers).
    """
    message = "; ".join([*score.failures, *score.notes])
    own = {"variant": str(score.samples.path), "seed": score.seed, "step": score.samples.step, "message": message}
    rows = [own | dict(score.values)]
    rows += [{"variant": FLOOR, "seed": seed, "step": 0} | dict(row) for seed, row in score.floor.items()]
    common = {"dataset": score.target.label, "settings": json.dumps(_settings(score))}
    names = ["dataset", "variant", "seed", "step", *(column.name for column in score.columns), "message", "settings"]
    return pd.DataFrame([[(row | common).get(name) for name in names] for row in rows], columns=names, dtype=object)


def floor(score: Score, name: str) -> dict[str, MetricValue] | None:
    """The median of a column over the rows of fresh data, the lowest and the highest.

    None where no row has a value. Of a column of true or false the share that is true; of words the most frequent text.
    """
    known = [value for row in score.floor.values() if (value := row[name]) is not None]
    numbers = [value for value in known if not isinstance(value, str)]
    if not known:
        return None
    if not numbers:
        return {"median": statistics.mode(known), "low": None, "high": None}
    middle = statistics.mean(numbers) if isinstance(numbers[0], bool) else statistics.median(numbers)
    return {"median": middle, "low": min(numbers), "high": max(numbers)}


def save(path: Path, score: Score) -> None:
    """Write a score completely or not at all: as JSON where the file's name ends in .json, else as CSV.

    Raises ValueError where that would overwrite the samples.
    """
    if path.exists() and path.samefile(score.samples.path):
        raise ValueError(f"{path}: holds the samples; write their score elsewhere")
    if path.suffix.lower() == ".json":
        write(path, json.dumps(as_object(score), indent=2, allow_nan=False) + "\n")
    else:
        write(path, as_csv(as_frame(score)))


def usual_path(home: Path, score: Score) -> Path:
    """Where a score is written by default; the same samples and settings give the same name."""
    settings = _settings(score) | {"file": None}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    return home / f"{score.target.label}-{score.samples.path.stem}-{digest}.csv"


def _plain(row: Mapping[str, MetricValue]) -> dict[str, Any]:
    return as_rows(pd.DataFrame([dict(row)], dtype=object))[0]


def _settings(score: Score) -> dict[str, Any]:
    return {
        "file": str(score.samples.path),
        "sha256": score.samples.sha256,
        "dataset": score.target.dataset.plain(),
        "metrics": [choice.plain() for choice in score.target.metrics],
        "seed": score.seed,
        "device": score.device,
        "ganbench": provenance.versions()["ganbench"],
    }
