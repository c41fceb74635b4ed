"""A run: a suite's cells, one after another, into a folder whose journal is the truth."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from ganbench.core import streams
from ganbench.core.disk import discard
from ganbench.core.exits import exits_refused
from ganbench.core.shard import Shard
from ganbench.plugin.column import Column, check_columns
from ganbench.plugin.observed import check_installed
from ganbench.record import provenance
from ganbench.record.attempt import attempt
from ganbench.record.control import Control, controls
from ganbench.record.events import Evaluated, RunFinished
from ganbench.record.folder import RunFolder
from ganbench.record.gaps import gaps
from ganbench.record.identity import changes, identity_of, left_behind
from ganbench.record.journal import Journal, read
from ganbench.record.record import Record
from ganbench.record.tables.tables import write_tables
from ganbench.run.cell_pictures import PictureSettings
from ganbench.run.cells import RunContext
from ganbench.run.description import described_run, on_device
from ganbench.run.evaluate import bind_metrics
from ganbench.run.executors.local import RunOutput, raise_if_lost, run_cells
from ganbench.run.generator_keeper import GeneratorKeeper
from ganbench.run.kept_files import GENERATORS, SAMPLES
from ganbench.run.observer import CellNoted, RunObserver
from ganbench.run.observers import Observers
from ganbench.run.picture_plan import share
from ganbench.run.resume import AGAIN
from ganbench.run.task_of import TaskOf
from ganbench.suite.plan import batches, of_shard, plan
from ganbench.suite.suite import Suite
from ganbench.train.device import check_device
from ganbench.train.engine.compiler import check_cache


@dataclass(frozen=True)
class RunResult:
    """A finished run: its folder, its table and its columns.

    ``complete``: whether every seed gave a result, no metric failed, some column has a number, and every control ended
    as expected. ``failures``: a line for each metric that failed, with the cells that it failed on. ``controls``: the
    rows of which the suite expects something.
    """

    folder: RunFolder
    table: pd.DataFrame
    columns: tuple[Column, ...]
    complete: bool
    failures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()


class RunStoppedError(OSError):
    """The disk stopped a run; ``strerror`` says also whether what was measured is kept."""


def run(
    suite: Suite,
    *,
    out: Path,
    device: torch.device,
    engine: str,
    command: Sequence[str],
    observer: RunObserver,
    save_samples: bool = False,
    save_generators: bool = False,
    shard: Shard | None = None,
    task: TaskOf | None = None,
    must_be: Path | None = None,
) -> RunResult:
    """Run a suite, or continue the run of it that was stopped; the tables are the same either way.

    Args:
        suite: The suite.
        out: The folder of all suites' runs.
        device: The device to train on.
        engine: The engine, or ``auto``.
        command: The command line, kept in run.json.
        observer: Receives what happens, as the observers that the suite names do.
        save_samples: Whether to keep each seed's last samples, as samples/<dataset>/<variant>/<seed>.npz in the run's
            folder.
        save_generators: Whether to keep each seed's generator, as generators/<dataset>/<variant>/<seed>.safetensors.
        shard: Which part of the suite's cells to run, into ``shard_home``; None: all of them.
        task: The run that the shard is a task of, where an executor trains it.
        must_be: The folder of the run that must be gone on with; None: a new one may begin.

    Returns:
        The finished run.

    Raises:
        RunLockedError: Another process works on the run.
        NoDeviceError: Nothing can be computed on the device.
        DeviceLostError: A plugin has left the device so that this process can compute nothing more on it, and cells are
            left. What has ended is kept: the same call in a fresh process goes on.
        RunStoppedError: The disk stopped the run. Any other OSError: before anything was measured.
        ValueError: In one line: an observer needs a package that is not installed, torch's folder of compiled code
            cannot be written, two metrics fill the same column, the run on disk is damaged, it is not that of
            ``must_be``, or there are fewer batches of cells than shards.
    """
    check_cache()
    check_device(device)
    check_observers(suite)
    planned = plan(suite)
    cells = planned if shard is None else of_shard(planned, shard)
    out = out if shard is None else shard_home(out, shard)
    metrics = bind_metrics(suite.metrics)
    check_columns(column for _, column in metrics.columns)
    suite_yaml = suite.to_yaml()
    with streams.kept(), exits_refused():
        told = described_run(
            suite, planned=planned, cells=cells, metrics=metrics, engine=engine, command=command, shard=shard
        )
    about = on_device(told, device)
    if task is not None:
        about = task.joined(about, suite_yaml)
    identity, newest = identity_of(about, suite_yaml), RunFolder.newest(out, suite.name)
    if must_be is not None:
        _check_same(must_be, RunFolder.unfinished(out, suite.name, identity), about, suite_yaml)
    with streams.kept(), exits_refused(), RunFolder.claim(out, suite.name, identity, suite_yaml, about) as folder:
        if task is not None:
            task.share(folder)
        record, lacking = _complete(Record.read(folder))
        known = {cell.id: cell for cell in record.cells}
        with (
            Journal(folder.journal) as journal,
            _what_is_kept(folder, journal),
            attempt(folder) as (before, doing),
            Observers(observer, suite, cells, folder.path) as everyone,
        ):
            everyone.started(cells, record)
            if before:
                observer.note(before)
            for line in record.about:
                observer.note(line)
            if line := left_behind(newest, folder, about, suite_yaml):
                observer.note(line)
            for name, what in lacking.items():
                everyone.tell(CellNoted(name, f"the journal lacks {what}: {AGAIN}"))
            checkpoints = folder.path / "checkpoints"
            keeps = {SAMPLES: save_samples, GENERATORS: save_generators}
            lacked = {kind: kind.lacking(folder.path, record, asked=asked) for kind, asked in keeps.items()}
            for line in filter(None, lacked.values()):
                observer.note(line)
            if not checkpoints.is_dir():
                discard(checkpoints)
            keeper = GeneratorKeeper(suite, about["source"], about["versions"]) if save_generators else None
            settings = PictureSettings(share(planned), suite.steps) if suite.pictures else None
            context = RunContext(
                *(metrics, device, engine, checkpoints, identity, keeper, settings),
                # As the run began: what is free now may be more or less.
                most_bytes=folder.describe()["most_bytes"],
                host=platform.node(),
                kind=provenance.kind(about["device"]),
                disturbed=task.disturbed if task else "",
            )
            kept = {kind.name: folder.path / kind.name for kind, asked in keeps.items() if asked}
            output = RunOutput(journal, everyone, folder.path / "pictures", **kept)
            todo = [batch for batch in batches(cells) if not all(known[cell.id].ended for cell in batch)]
            for together in todo:
                if together is not todo[0]:
                    raise_if_lost(context)
                doing(f"{together[0].dataset} {together[0].variant}")
                run_cells(together, context, output, known)
            discard(checkpoints)
            # Of a seed that diverged before this attempt, in a cell that goes on, it is known only now.
            record = Record.read(folder)
            for kind, asked in keeps.items():
                if (lost := kind.lacking(folder.path, record, asked=asked)) not in ("", lacked[kind]):
                    observer.note(lost)
            table = write_tables(folder)
            journal.append(RunFinished())
            everyone.finished(table)
    return result(folder, table)


def check_observers(suite: Suite) -> None:
    """Raise NotInstalledError where an observer of a suite needs a package that is not installed."""
    for choice in suite.observers:
        check_installed(choice.entry)


def shard_home(out: Path, shard: Shard) -> Path:
    """The folder of all suites' runs of a shard: what is only a part must not be taken for a suite's newest run."""
    return out / "shards" / shard.name


def result(folder: RunFolder, table: pd.DataFrame) -> RunResult:
    """The result of a run that has finished, from its folder and its table."""
    record = Record.read(folder)
    measured = [name for column in record.columns for name in column.fills if name in table]
    failures, expected = record.failures, controls(record)
    complete = bool(not failures and (table["failed"] == 0).all() and table[measured].notna().any(axis=None))
    complete = complete and all(one.as_expected for one in expected)
    return RunResult(folder, table, record.columns, complete, failures, expected)


def _complete(record: Record) -> tuple[Record, dict[str, str]]:
    """The record without those cells that have ended and are not whole in the journal; and what each of them lacks."""
    lacking = gaps(record)
    cells = (
        replace(cell, evaluations={}, outcomes={}, speed={}, unmeasured=()) if cell.id in lacking else cell
        for cell in record.cells
    )
    return replace(record, cells=tuple(cells)), lacking


def _check_same(must_be: Path, found: RunFolder | None, about: Mapping[str, Any], suite_yaml: str) -> None:
    """Raise ValueError where the run that would be gone on with is not that of ``must_be``, with what has changed."""
    if found is None or found.path.resolve() != must_be:
        changed = changes(RunFolder(must_be), about, suite_yaml) or ["it has finished, or was removed"]
        raise ValueError(f"{must_be}: a fresh process cannot go on with this run: {'; '.join(changed)}")


@contextmanager
def _what_is_kept(folder: RunFolder, journal: Journal) -> Iterator[None]:
    """Where the disk stops the run, add to the error what is left."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        place, why = error.filename or str(folder.path), error.strerror or str(error)
        if not journal.there:
            place, why = str(folder.path), "was removed or moved while the run was going on"
            kept = "what was measured is lost" if journal.removed else "what was measured is in it, wherever it is now"
        elif any(isinstance(event, Evaluated) for event in read(folder.journal)):
            kept = "what was measured so far is kept, and the same command goes on from there"
        else:
            kept = "nothing had been measured"
        raise RunStoppedError(error.errno, f"{why}; {kept}", place) from error
