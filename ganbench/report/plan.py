"""What a run of a suite would do, and how long it would take."""

from __future__ import annotations

import torch
from rich.console import Console
from rich.table import Table

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.stopwatch import Stopwatch, load
from ganbench.report.numbers import duration
from ganbench.run.estimate import Estimator
from ganbench.run.evaluate import bind_metrics
from ganbench.suite.plan import batches, plan
from ganbench.suite.suite import Suite

#: Where a trial takes so many times as long as it computes, other programs are using the machine.
BUSY = 1.5


def show_plan(suite: Suite, device: torch.device, engine: str, console: Console) -> None:
    """Print a line for each cell with its estimate, and the sum; cells that train as one batch share its time.

    Args:
        suite: The suite.
        device: The device to train on.
        engine: The engine, or ``auto``.
        console: Where to print.
    """
    cells = plan(suite)
    estimator = Estimator(bind_metrics(suite.metrics), device, engine)
    table = Table(box=None, pad_edge=False)
    for name in ("dataset", "variant"):
        table.add_column(name)
    for name in ("seeds", "steps", "engine", "estimate"):
        table.add_column(name, justify="right")
    total, passed, needed, notes, compiled = 0.0, 0.0, 0.0, [], set()
    for together in batches(cells):
        first = together[0]
        try:
            with Stopwatch(device) as watch:
                each = estimator.estimate(together)
        except BaseException as error:
            raise_if_stopped(error)
            notes.append(f"{first.dataset} {first.family}: {error_line(error)}")
            for cell in together:
                table.add_row(cell.dataset, cell.variant, str(len(cell.seeds)), str(cell.steps), "", "fails")
            continue
        # Cells that differ in nothing but their data are compiled once.
        seconds = each.seconds - (each.compiling if first.variant in compiled else 0.0)
        if each.engine == "compiled":
            compiled.add(first.variant)
        total += seconds
        passed, needed = passed + watch.passed, needed + watch.needed
        if each.note:
            notes.append(f"{first.dataset} {first.family}: {each.note}")
        for cell in together:
            shown = duration(seconds / len(together))
            table.add_row(cell.dataset, cell.variant, str(len(cell.seeds)), str(cell.steps), each.engine, shown)
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True)
    swept = f" ({len(suite.variants)} variants x {suite.settings} settings)" if suite.sweeps else ""
    about = f"about {duration(total)}"
    if needed and (slower := passed / needed) > BUSY:
        beside = f"other programs are using this machine now{f' ({load()})' if load() else ''}"
        about = f"{about} to {duration(total * slower)} on {device}: {beside}"
    else:
        about += f" on {device}"
    if expected := [f"{cell.dataset} {cell.variant} {cell.expect}" for cell in cells if cell.expect]:
        console.print(f"The run is void (exit code 3) unless {', '.join(expected)}", soft_wrap=True)
    console.print(f"{len(cells)} cells{swept}, {about}", soft_wrap=True)
