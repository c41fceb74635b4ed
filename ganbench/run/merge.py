"""A merge: the shards of a run, wherever they were trained, become the run that one machine would have made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ganbench.core.disk import discard, write
from ganbench.record.events import RunFinished
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal, joined
from ganbench.record.record import Record
from ganbench.record.tables.tables import write_tables
from ganbench.record.tasks import Tasks
from ganbench.run.parts import (
    Part,
    ShardsError,
    copy_kept,
    described_whole,
    missing,
    notes,
    of_other_runs,
    twice,
    unfinished,
)
from ganbench.run.run import RunResult, result


def merge(folders: Sequence[RunFolder], out: Path) -> tuple[RunResult, tuple[str, ...]]:
    """Write the run that the shards are parts of; they stay as they are.

    Args:
        folders: The runs of all its shards, in any order.
        out: The folder of all suites' runs.

    Returns:
        The run, and lines on what makes it differ from a run of one machine.

    Raises:
        ShardsError: They are not all shards of one run, each once and each finished.
        RunLockedError: Another process merges runs of this suite there.
        ValueError: A shard is damaged, or the run is there already.
        OSError: The disk fails.
    """
    parts = sorted(map(Part.read, folders), key=lambda part: part.shard.index)
    for reasons in (of_other_runs(parts), twice(parts), missing(parts)):
        if lines := list(reasons):
            raise ShardsError("\n".join(lines))
    records = [Record.read(part.folder) for part in parts]
    if lines := list(unfinished(parts, records)):
        raise ShardsError("\n".join(lines))
    run = described_whole(parts, records)
    journal = joined(part.folder.journal for part in parts)
    with RunFolder.whole(out, run, parts[0].suite, journal) as folder:
        for part in parts:
            copy_kept(part.folder.path, folder.path)
        table = write_tables(folder)
        with Journal(folder.journal) as whole:
            whole.append(RunFinished())
    merged = RunFolder(out / run["suite"] / run["run"])
    return result(merged, table), tuple(notes(parts))


def merge_tasks(run: RunFolder, shards: Sequence[RunFolder]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Write into a run's folder what its tasks have made; they are removed then.

    It can be done again after it was stopped at any moment.

    Args:
        run: The run, which this process has locked.
        shards: The runs of all its tasks.

    Returns:
        The run's table, and lines on what makes it differ from a run of one machine.

    Raises:
        ShardsError: They are not all parts of one run, each finished.
        ValueError: A shard is damaged.
        OSError: The disk fails.
    """
    before, suite = run.describe(), run.suite.read_text(encoding="utf-8")
    planned = [cell["id"] for cell in before["cells"]]
    parts = [Part.of_task(folder, run, planned, suite) for folder in shards]
    records = [Record.read(part.folder) for part in parts]
    for reasons in (of_other_runs(parts), unfinished(parts, records)):
        if lines := list(reasons):
            raise ShardsError("\n".join(lines))
    whole = described_whole(parts, records)
    # What is expected of a row may have changed since its task was trained: it decides no number.
    expected = {cell["id"]: {"expect": cell["expect"]} for cell in before["cells"] if "expect" in cell}
    whole["cells"] = [
        {name: value for name, value in cell.items() if name != "expect"} | expected.get(cell["id"], {})
        for cell in whole["cells"]
    ]
    kept = {name: before[name] for name in ("run", "suite", "created", "command", "executor")}
    _write(run, {**whole, **kept, "identity": before["identity"]})
    for part in parts:
        copy_kept(part.folder.path, run.path)
    write(run.journal, joined(part.folder.journal for part in parts))
    table = write_tables(run)
    with Journal(run.journal) as journal:
        journal.append(RunFinished())
    # By its identity until now the same command finds it again; from now on it is that of a run of one machine.
    _write(run, {**whole, **kept})
    return table, (*notes(parts), *_without_tasks(run))


def _without_tasks(run: RunFolder) -> Iterator[str]:
    """Remove the tasks of a run that has finished; a line where a process keeps files of theirs open, or adds one."""
    path, hidden = Tasks(run).path, run.path / ".tasks"
    try:
        discard(hidden)
        path.rename(hidden)
        discard(hidden)
    except OSError as error:
        left = path if path.exists() else hidden
        yield f"{left} could not be removed, and nothing needs it: {error.strerror or error}"


def _write(run: RunFolder, about: Mapping[str, Any]) -> None:
    write(run.path / "run.json", json.dumps(about, indent=2, allow_nan=False) + "\n")
