"""A run as the reports see it: cells and a record, made by hand."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import pytest
from columns import column

from ganbench.record.events import from_json
from ganbench.record.record import Record


@dataclass(frozen=True)
class PlannedCell:
    id: str
    dataset: str
    variant: str
    seeds: tuple[int, ...]
    steps: int


COLUMNS = [
    *map(column, ("jsd", "modes_covered", "modes_total", "all_modes")),
    column("high_quality", better="higher"),
    column("reverse_kl"),
    *(column(f"model_steps_per_second{one}{end}") for one in ("", "_one") for end in ("", "_low", "_high")),
]


class Story:
    """A run told event by event; ``seeds`` seeds, ``steps`` steps, two datasets."""

    def __init__(
        self, variants=("oracle", "minimax", "nonsaturating-r1"), datasets=("ring8", "grid25"), seeds=16, columns=()
    ):
        self.columns = [*COLUMNS, *columns]
        self.cells = [
            PlannedCell(f"{d}-{v}", d, v, tuple(range(seeds)), 0 if v == "oracle" else 10000)
            for d in datasets
            for v in variants
        ]
        #: The lines of the journal.
        self.events = []

    def rows(self, jsd=0.2, modes=8, diverged=(), seeds=16):
        return [
            {"seed": s, "status": "diverged" if s in diverged else "done", "jsd": jsd + s / 1000}
            | {
                "modes_covered": modes,
                "modes_total": 8,
                "all_modes": modes == 8,
                "high_quality": 0.98,
                "reverse_kl": 0.1,
            }
            for s in range(seeds)
        ]

    def outcomes(self, cell, status="done", message=""):
        return [{"seed": s, "status": status, "step": cell.steps, "message": message} for s in cell.seeds]

    def run(self, cell, engine="compiled", status="done", **rows):
        self.events += [
            {"event": "start", "cell": cell.id, "engine": engine, "note": "", "replicas": len(cell.seeds)},
            {
                "event": "evaluation",
                "cell": cell.id,
                "step": cell.steps,
                "rows": self.rows(seeds=len(cell.seeds), **rows),
            },
            {"event": "end", "cell": cell.id, "seeds": self.outcomes(cell, status)},
        ]
        if cell.steps:
            speed = {"model_steps_per_second": 12345.6, "model_steps_per_second_one": 987.6}
            speed |= {"model_steps_per_second_low": 12000.0, "model_steps_per_second_high": 13000.0}
            speed |= {"model_steps_per_second_one_low": 900.0, "model_steps_per_second_one_high": 1000.0}
            self.events.append({"event": "speed", "cell": cell.id, "values": speed})

    @property
    def run_json(self):
        cells = [
            asdict(cell) | {"reference": cell.variant == "oracle", "family": cell.variant, "precision": "float32"}
            for cell in self.cells
        ]
        return {"run": "r", "columns": self.columns, "cells": cells}

    @property
    def record(self):
        return Record.replay(self.run_json, map(from_json, self.events))

    def write(self, journal):
        """Write the journal of a run that has finished."""
        lines = [*self.events, {"event": "finished"}]
        journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def story():
    """The class, to be made with whatever a test wants to be different."""
    return Story
