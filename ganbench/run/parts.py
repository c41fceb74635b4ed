"""The parts of a run on disk, which are shards: whether they make a run, what its run.json says, which files it has."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from ganbench.core.disk import copy
from ganbench.core.shard import Shard
from ganbench.record import provenance
from ganbench.record.folder import RunFolder
from ganbench.record.gaps import gap_lines
from ganbench.record.identity import identity_of, plan_differences
from ganbench.record.record import Record
from ganbench.run.kept_files import GENERATORS, SAMPLES

#: The folders of a run's files that its journal names or its options keep.
_KEPT = ("pictures", SAMPLES.name, GENERATORS.name)
#: What of a run.json is compared, or joined.
_NEEDED = (
    *("run", "command", "created", "cells", "plan", "versions", "device"),
    *("engine", "source", "environment", "data", "plugins", "most_bytes"),
)


class ShardsError(ValueError):
    """The shards do not make a run; a line for each reason, with its cure."""


@dataclass(frozen=True)
class Part:
    """A shard on disk: which it is, its folder, the content of its run.json, and its resolved suite."""

    shard: Shard
    folder: RunFolder
    run: Mapping[str, Any]
    suite: str

    @classmethod
    def read(cls, folder: RunFolder) -> Part:
        """The shard in a run's folder. Raises ValueError, in one line, where it is none, or damaged."""
        run = folder.describe()
        shard = Shard.of_run(run)
        if shard is None:
            raise ShardsError(
                f"{folder.path}: is a whole run and no shard: shards come from ganbench run SUITE --shard i/n"
            )
        if "rows" in run:
            raise ShardsError(f"{folder.path}: is a task of a run: the command that began that run merges its tasks")
        if lacking := next((name for name in _NEEDED if name not in run), ""):
            raise ShardsError(f"{folder.path}: its run.json lacks {lacking!r}: make the shard again")
        return cls(shard, folder, run, folder.suite.read_text(encoding="utf-8"))

    @classmethod
    def of_task(cls, folder: RunFolder, whole: RunFolder, plan: Sequence[str], suite: str) -> Part:
        """A task of a run, which has plan and suite in common with all others; read once, they are in memory once.

        Args:
            folder: the run of the task.
            whole: the run.
            plan: the names of the run's cells.
            suite: the run's resolved suite.

        Returns:
            The task as a shard of the run.

        Raises:
            ValueError: in one line: it is damaged, or another suite has decided its numbers.
        """
        run = folder.describe()
        shard = Shard.of_run(run)
        if shard is None or any(name not in run for name in _NEEDED if name != "plan"):
            raise ShardsError(f"{folder.path}: is no task of {whole.path}: its run.json is damaged")
        if run["identity"] != identity_of(run, suite):
            raise ShardsError(f"{folder.path}: was trained by another suite than {whole.suite}, or by other code")
        return cls(shard, folder, {**run, "plan": plan}, suite)

    def command(self, shard: Shard | None) -> list[str]:
        """The command that made this shard, for another shard of the run, or for the whole run."""
        words = [str(word) for word in self.run["command"]]
        at = next((i for i, word in enumerate(words) if word.partition("=")[0] == "--shard"), len(words))
        del words[at : at + (1 if "=" in "".join(words[at : at + 1]) else 2)]
        return words if shard is None else [*words[:at], "--shard", shard.text, *words[at:]]


def of_other_runs(parts: Sequence[Part]) -> Iterator[str]:
    """A line for each part that is of another run than the first."""
    first = parts[0]
    for part in parts[1:]:
        if part.shard.of != first.shard.of:
            yield f"{part.folder.path}: is {part.shard}, and {first.folder.path} is {first.shard}: of another division"
        elif found := plan_differences(first.run, first.suite, part.run, part.suite):
            yield f"{part.folder.path}: is of another run than {first.folder.path}: {'; '.join(found)}"


def twice(parts: Sequence[Part]) -> Iterator[str]:
    """A line for each shard that is there twice; the parts are in their order."""
    for one, other in pairwise(parts):
        if one.shard == other.shard:
            yield f"{one.folder.path} and {other.folder.path} are both {one.shard}: name one of them"


def missing(parts: Sequence[Part]) -> Iterator[str]:
    """A line for each shard that is missing, with the command that makes it."""
    first, there = parts[0], {part.shard.index for part in parts}
    for index in range(1, first.shard.of + 1):
        if index not in there:
            shard = Shard(index, first.shard.of)
            yield f"{shard} is missing: name its folder, or make it: {shlex.join(first.command(shard))}"


def unfinished(parts: Sequence[Part], records: Sequence[Record]) -> Iterator[str]:
    """A line for each part that has not finished, or lacks something."""
    for part, record in zip(parts, records, strict=True):
        again = shlex.join(part.command(part.shard))
        if not record.finished:
            ended = f"{sum(cell.ended for cell in record.cells)} of its {len(record.cells)} rows have ended"
            yield f"{part.folder.path}: {part.shard} has not finished, {ended}: go on with it: {again}"
        for line in gap_lines(record):
            yield f"{part.folder.path}: {line}: move it away and make it again: {again}"


def described_whole(parts: Sequence[Part], records: Sequence[Record]) -> dict[str, Any]:
    """The content of the run's run.json: as of a run of all cells, and ``shards``, where each part was made."""
    first = parts[0]
    cells = {cell["id"]: cell for part in parts for cell in part.run["cells"]}
    if cells.keys() != set(first.run["plan"]):
        raise ShardsError(f"{first.folder.path}: the cells of the shards are not those of their plan: make them again")
    versions = dict(first.run["versions"])
    versions["platform"] = _together(part.run["versions"]["platform"] for part in parts)
    devices = [part.run["device"] for part in parts]
    about = {
        **{name: value for name, value in first.run.items() if name not in ("shard", "plan", "rows")},
        "command": first.command(None),
        "cells": [cells[name] for name in first.run["plan"]],
        "versions": versions,
        "device": {name: _together(one.get(name) for one in devices) for one in devices for name in one},
        "most_bytes": min(part.run["most_bytes"] for part in parts),
    }
    created = max(str(part.run["created"]) for part in parts)
    identity = identity_of(about, first.suite)
    name = f"{datetime.fromisoformat(created):%Y%m%d-%H%M%S}-{identity[:8]}"
    made = [
        {
            "shard": part.shard.text,
            "run": part.run["run"],
            "command": part.run["command"],
            "created": part.run["created"],
        }
        | {"hosts": sorted({cell.host for cell in record.cells}), "device": part.run["device"]}
        for part, record in zip(parts, records, strict=True)
    ]
    return about | {"run": name, "identity": identity, "created": created, "shards": made}


def _together(values: Iterator[Any]) -> Any:
    """The value that all have, else all of them in words."""
    distinct = list(dict.fromkeys(values))
    return distinct[0] if len(distinct) == 1 else " and ".join(map(str, distinct))


def notes(parts: Sequence[Part]) -> Iterator[str]:
    """Lines on what makes a run of these parts differ from one of one machine."""
    kinds = {provenance.kind(part.run["device"]) for part in parts}
    if len({part.run["most_bytes"] for part in parts}) > 1:
        sizes = ", ".join(f"{part.run['most_bytes'] / 2**30:g} GiB ({part.shard})" for part in parts)
        yield f"chunks were chosen for different free memory: {sizes}; one machine's run may round differently"
    if len(kinds) > 1:
        yield "each cell is as its own machine rounds: no one machine's run has the same bytes"
    for kind in (SAMPLES, GENERATORS):
        having = [part.shard for part in parts if (part.folder.path / kind.name).is_dir()]
        if having and len(having) < len(parts):
            yield f"{kind.name} were kept by {', '.join(map(str, having))} alone: give {kind.option} to all shards"


def copy_kept(shard: Path, run: Path, folders: Sequence[str] = _KEPT) -> None:
    """Copy the files that a shard keeps in these folders; a data set's picture, which several shards have, once.

    Args:
        shard: the folder of the shard's run.
        run: the folder of the whole run.
        folders: their names.
    """
    for name in folders:
        for path in sorted((shard / name).rglob("[!.]*")):
            target = run / path.relative_to(shard)
            if path.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                copy(path, target)
