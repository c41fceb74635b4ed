"""Runs on disk without training: a folder whose journal says what a test wants it to say."""

from __future__ import annotations

from pathlib import Path

from columns import column

from ganbench.record.events import (
    CellEnded,
    CellMeasured,
    CellStarted,
    Evaluated,
    RunFinished,
    SeedOutcome,
    SeedRow,
)
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.status import Status

SUITE = """
suite: {suite}
seeds: [0, 1, 2]
budget: {{steps: 20, batch: 16}}
evaluate: {{every: 10, samples: 400}}
datasets: {{ring8: {{name: ring, modes: 8, std: 0.1}}}}
references: [{{name: oracle}}]
variants: {{one: {{loss: {{name: minimax}}}}, "null": {{loss: {{name: minimax}}}}}}
metrics: [{{name: jsd}}, {{name: modes, share: 0.2}}, {{name: throughput}}, {{name: cost}}]
{more}"""


COLUMNS = [
    column("jsd", metric="jsd"),
    column("jsd_note", metric="jsd"),
    column("modes_covered", metric="modes"),
    column("all_modes", metric="modes"),
    column("reverse_kl", metric="modes"),
    column("model_steps_per_second", metric="throughput"),
    column("model_steps_per_second_low", metric="throughput"),
    column("model_steps_per_second_high", metric="throughput"),
    column("operations_per_step", metric="cost"),
    column("kernels_per_step", metric="cost"),
    column("peak_memory", metric="cost"),
]
DEVICE = {"device": "cpu", "cpu": "A processor", "cores": 2, "threads": 2}
VERSIONS = {"python": "3.12.0", "ganbench": "0.1.0", "torch": "2.15.0"}
SPEED = {"model_steps_per_second": 1000.5, "model_steps_per_second_low": 900.25, "model_steps_per_second_high": 1100.0}
COUNTS = {"operations_per_step": 120, "kernels_per_step": None, "peak_memory": 1e6}
ROW = {"jsd": 0.1, "jsd_note": None, "modes_covered": 8, "all_modes": True, "reverse_kl": 0.25}


def recorded(
    out: Path,
    rows=None,
    *,
    suite="smoke",
    more="",
    speed=SPEED,
    counts=COUNTS,
    statuses=None,
    finished=True,
    seeds=(0, 1, 2),
    variants=("one", "null"),
    columns=COLUMNS,
    families=None,
    failed=None,
    **run,
) -> RunFolder:
    """A run of ring8 with an oracle; ``rows``: what seeds say at the end, ``{("one", 0): {"jsd": 0.3}}``, over ROW.

    ``failed``: the lines of metrics that failed, ``{("one", 0): ("metric jsd: why",)}``.
    """
    rows, statuses, failed = rows or {}, statuses or {}, failed or {}
    cells = [
        {"id": name, "dataset": "ring8", "variant": name, "seeds": list(seeds), "steps": 20 * (name != "oracle")}
        | {"reference": name == "oracle", "family": (families or {}).get(name, name), "precision": "float32"}
        for name in ("oracle", *variants)
    ]
    plugins = [{"kind": "loss", "name": "minimax", "source": "/somewhere/minimax.py", "sha256": "ab12"}]
    about = {"cells": cells, "columns": columns, "device": DEVICE, "versions": VERSIONS, "plugins": plugins}
    about |= {"project": {"commit": "c0ffee" + "0" * 34, "dirty": False}, "protocol": 1, **run}
    folder = RunFolder.create(out, suite, "a1b2c3d4e5f6", SUITE.format(suite=suite, more=more), about)
    with Journal(folder.journal) as journal:
        for cell in cells:
            name = cell["id"]
            if name != "oracle":
                journal.append(CellStarted(name, "eager", "", len(seeds)))
                journal.append(CellMeasured(name, {**speed, **counts}))
            ended = {seed: Status(statuses.get((name, seed), "done")) for seed in seeds}
            measured = [
                SeedRow(seed, status, {**ROW, **rows.get((name, seed), {})}, failed.get((name, seed), ()))
                for seed, status in ended.items()
                if status.measured
            ]
            journal.append(Evaluated(name, cell["steps"], tuple(measured)))
            if finished or name == "oracle":
                outcomes = [
                    SeedOutcome(seed, status, cell["steps"], "" if status == Status.DONE else "why")
                    for seed, status in ended.items()
                ]
                journal.append(CellEnded(name, tuple(outcomes)))
        if finished:
            journal.append(RunFinished())
    return folder
