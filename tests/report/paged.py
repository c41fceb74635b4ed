"""Material: a run on disk with a curve for each seed, made by hand."""

from __future__ import annotations

from pathlib import Path

from columns import column

from ganbench.record.events import CellEnded, CellMeasured, CellStarted, Evaluated, RunFinished, SeedOutcome, SeedRow
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.status import Status

COLUMNS = [
    *map(column, ("jsd", "modes_covered", "modes_total", "all_modes", "d_real")),
    *(column(f"model_steps_per_second{end}") for end in ("", "_low", "_high")),
    column("operations_per_step"),
]
STEPS = (100, 200, 300)
SEEDS = tuple(range(8))


def row(seed, at, jsd, status=Status.DONE):
    modes = 8 - (seed % 2) * (2 - at)
    numbers = {"jsd": jsd + seed / 100 - at / 50, "modes_covered": modes, "modes_total": 8, "all_modes": modes == 8}
    return SeedRow(seed, status, {**numbers, "d_real": 0.5 + seed / 100})


def paged(out: Path, variants=("plain", "other"), *, ended=None, diverged=(), families=None, **run) -> RunFolder:
    """A run of two datasets; ``ended``: how many cells have ended, all unless given; the rest has one evaluation.

    ``diverged``: pairs (variant, seed) that diverge after the second evaluation.
    """
    cells = [
        {"id": f"{dataset}-{name}", "dataset": dataset, "variant": name, "seeds": list(SEEDS)}
        | {"steps": 0 if name == "oracle" else STEPS[-1], "reference": name == "oracle", "every": 100}
        | {"family": (families or {}).get(name, name), "precision": "float32"}
        for dataset in ("ring8", "grid9")
        for name in ("oracle", *variants)
    ]
    plugins = [{"kind": "loss", "name": "minimax", "source": "/nowhere/minimax.py", "sha256": "ab12"}]
    about = {"cells": cells, "columns": COLUMNS, "plugins": plugins, "command": ["ganbench", "run", "mog"]}
    about |= {"device": {"device": "cpu", "cpu": "A processor", "cores": 2}, "versions": {"python": "3.12.0"}, **run}
    folder = RunFolder.create(out, "mog", "a1b2c3d4e5f6", "suite: mog\n", about)
    with Journal(folder.journal) as journal:
        for place, cell in enumerate(cells):
            over = ended is None or place < ended
            _tell(journal, cell, over, {seed for name, seed in diverged if name == cell["variant"]})
        if ended is None:
            journal.append(RunFinished())
    return folder


def _tell(journal, cell, over, lost):
    jsd = 0.0 if cell["reference"] else 0.2 + len(cell["variant"]) / 100
    journal.append(CellStarted(cell["id"], "" if cell["reference"] else "eager", "", len(SEEDS)))
    if not cell["reference"]:
        speed = {"model_steps_per_second": 1000.0 + len(cell["variant"])}
        speed |= {"model_steps_per_second_low": 900.0, "model_steps_per_second_high": 1100.0}
        journal.append(CellMeasured(cell["id"], {**speed, "operations_per_step": 10 * len(cell["variant"])}))
    for at, step in enumerate((0,) if cell["reference"] else STEPS if over else STEPS[:1]):
        rows = [
            row(seed, at, jsd, Status.DIVERGED if seed in lost and at == 1 else Status.DONE)
            for seed in SEEDS
            if seed not in lost or at < 2
        ]
        journal.append(Evaluated(cell["id"], step, tuple(rows)))
    if over:
        ends = [
            SeedOutcome(seed, Status.DIVERGED, STEPS[1])
            if seed in lost
            else SeedOutcome(seed, Status.DONE, cell["steps"])
            for seed in SEEDS
        ]
        journal.append(CellEnded(cell["id"], tuple(ends)))
