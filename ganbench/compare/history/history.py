"""The history of a suite, oldest first: its finished runs, and all versions of its baseline that git has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ganbench.compare.sides.baseline import open_baseline
from ganbench.compare.sides.baseline_reader import read
from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.sides.description import compared_run, describe_run
from ganbench.core import git
from ganbench.record.folder import NotARunError, RunFolder

#: The reason of a baseline that replaced no other and was saved without a reason.
FIRST = "first"


@dataclass(frozen=True)
class MeasuredRun:
    """A suite as it was measured once.

    ``when``: the start of the run (UTC). ``source``: ``baseline`` where the run was saved as one. ``name``: the run's.
    ``commit``: the commit of ganbench's code, else the commit that added the baseline; empty where neither is known.
    ``reason``: why it was saved as a baseline.
    """

    when: datetime
    source: Literal["run", "baseline"]
    name: str
    commit: str
    run: ComparedRun
    reason: str = ""


def history(suite: str, results: Path) -> tuple[tuple[MeasuredRun, ...], tuple[str, ...]]:
    """The measured runs of a suite, oldest first, and a line for each that is void, or left out: damaged, or not here.

    They are the finished runs in results/<suite>/, the baseline results/baselines/<suite>.csv and, in a git repository,
    every version of it that was committed. A run that was also saved as a baseline is listed once. So are two folders
    of the same run, unless their numbers differ: then each is listed under its folder's name.
    """
    found: dict[str, list[MeasuredRun]] = {}
    notes = []
    for made in (*_runs(suite, results), *_baselines(results / "baselines" / f"{suite}.csv")):
        if isinstance(made, str):
            notes.append(made)
        else:
            notes += [f"{made.name}: {line}" for line in made.run.void]
            _add(made, found.setdefault(made.name, []))
    named = [made if len(alike) == 1 else _by_folder(made) for alike in found.values() for made in alike]
    return tuple(sorted(named, key=lambda made: (made.when, made.name))), tuple(dict.fromkeys(notes))


def prior_runs(measured: Sequence[MeasuredRun]) -> list[ComparedRun]:
    """The runs that may predict the next one: those since a baseline was last replaced for a given reason, not void."""
    accepted = [at for at, made in enumerate(measured) if made.reason not in ("", FIRST)]
    return [made.run for made in measured[max(accepted, default=0) :] if not made.run.void]


def _add(made: MeasuredRun, alike: list[MeasuredRun]) -> None:
    """Add a run to those of its name, or merge it with one of them that has the same numbers."""
    for at, known in enumerate(alike):
        if known.run.cases == made.run.cases:
            commit, reason = known.commit or made.commit, known.reason or made.reason
            alike[at] = replace(known, source=made.source, commit=commit, reason=reason)
            return
    alike.append(made)


def _by_folder(made: MeasuredRun) -> MeasuredRun:
    """The run with the name of the folder that it was read from; a baseline has no folder and keeps its name."""
    label = Path(made.run.label)
    return made if label.suffix == ".csv" else replace(made, name=label.name)


def _runs(suite: str, results: Path) -> Iterator[MeasuredRun | str]:
    for path in sorted((results / suite).glob("[!.]*/")):
        folder = RunFolder(path)
        try:
            folder.describe()
        except NotARunError:
            continue
        try:
            if folder.finished:
                yield _measured_run("run", *describe_run(folder), "", str(path))
        except (OSError, ValueError) as error:
            yield f"left out: {error}"


def _baselines(path: Path) -> Iterator[MeasuredRun | str]:
    """The baseline in its file now, and in each commit that changed it."""
    if path.is_file():
        try:
            yield _measured_run("baseline", *open_baseline(path), "", str(path))
        except ValueError as error:
            yield f"left out: {error}"
    # Git has the history of a folder that was removed, but must be called in one that exists.
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    inside = path.absolute().relative_to(folder)
    beside = inside.with_name(f"{path.stem}.json")
    for commit in git.versions(inside, folder):
        table, about = (git.ask("show", f"{commit}:./{name.as_posix()}", around=folder) for name in (inside, beside))
        if not table or not about:
            continue  # the commit that removed it
        label = f"{commit[:10]}:{path}"
        try:
            yield _measured_run("baseline", *read(table, about, label), commit, label)
        except ValueError as error:
            yield f"left out: {error}"
    if git.is_shallow(folder):
        yield f"older versions of {path.name} are not here{git.missing('', folder)}"


def _measured_run(
    source: Literal["run", "baseline"], table: pd.DataFrame, about: dict[str, Any], commit: str, label: str
) -> MeasuredRun:
    try:
        when = datetime.fromisoformat(about["created"])
    except ValueError:
        raise ValueError(f"{label}: does not say when it was run: {about['created']!r}") from None
    made = compared_run(table, about, label)
    accepted = about.get("history") or [{}]
    return MeasuredRun(
        when.astimezone(UTC),
        source,
        about["run"],
        str((made.git or {}).get("commit") or commit),
        made,
        str(accepted[-1].get("reason", "")),
    )
