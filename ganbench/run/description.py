"""What run.json says of a run, or of a shard of one: the plan, the machine, and all else that decides its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import ganbench
from ganbench.core import git
from ganbench.core.shard import Shard
from ganbench.metrics import PROTOCOL
from ganbench.record import provenance
from ganbench.record.identity import described
from ganbench.run.evaluate import Metrics
from ganbench.suite.plan import Cell
from ganbench.suite.suite import Suite
from ganbench.train.device import arithmetic
from ganbench.train.engine.chunks import chunk_bytes
from ganbench.train.fingerprint import fingerprint, phase_shares


def described_run(
    suite: Suite,
    *,
    planned: Sequence[Cell],
    cells: Sequence[Cell],
    metrics: Metrics,
    engine: str,
    command: Sequence[str],
    shard: Shard | None,
) -> dict[str, Any]:
    """What run.json says of a run, but for its machine; the data are made for it.

    Args:
        suite: The suite.
        planned: All its cells.
        cells: Those of them that are run.
        metrics: Its metrics.
        engine: The engine, or ``auto``.
        command: The command line.
        shard: Which part of the suite's cells they are; None: all of them.

    Returns:
        The content of run.json, without ``device`` and ``most_bytes``.
    """
    # Apart from the fingerprints: data may be trained on of which there is none.
    shares = {name: phase_shares(choice) for name, choice in suite.datasets.items()}
    return {
        "ganbench": ganbench.__version__,
        "command": list(command),
        "cells": [
            {"id": c.id, "dataset": c.dataset, "variant": c.variant, "seeds": list(c.seeds), "steps": c.steps}
            | {"reference": c.reference is not None, "family": c.family, "precision": c.precision, "every": c.every}
            | ({"expect": c.expect} if c.expect else {})
            for c in cells
        ],
        **({} if shard is None else {"shard": shard.text, "plan": [c.id for c in planned]}),
        **({"published": suite.published.plain()} if suite.published else {}),
        "columns": [{"metric": metric, **column.to_json()} for metric, column in metrics.columns],
        "engine": engine,
        "protocol": PROTOCOL,
        "versions": provenance.versions(),
        "git": git.commit_of_file(Path(__file__)),
        "project": git.state(Path.cwd()),
        "plugins": described(suite.entries),
        "source": provenance.source(),
        "environment": provenance.environment(),
        "data": {name: found for name, choice in suite.datasets.items() if (found := fingerprint(choice))},
        "phases": {name: own for name, own in shares.items() if len(own) > 1},
    }


def on_device(about: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """The same of a run that this process trains on a device."""
    cells = [cell | {"precision": arithmetic(cell["precision"], device)} for cell in about["cells"]]
    return {
        **about,
        "cells": cells,
        "most_bytes": chunk_bytes(device),
        "device": provenance.device(str(device)),
    }


def elsewhere(about: Mapping[str, Any], device: str, executor: str) -> dict[str, Any]:
    """The same of a run whose tasks an executor trains on machines that are not known yet.

    The machine of who gave the command decides no number: the same command on another one goes on with the run.

    Args:
        about: What ``described_run`` says of it.
        device: The kind of device that the tasks are trained on, as the option names it.
        executor: The executor's name.

    Returns:
        The content of run.json.
    """
    versions = {name: version for name, version in about["versions"].items() if name != "platform"}
    return {**about, "versions": versions, "device": {"device": device, "executor": executor}}
