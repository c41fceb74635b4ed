"""The history of a suite: its finished runs, and its baseline with every version that git has of it, oldest first."""

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

#: The reason of a baseline that was saved without one, there being none before.
FIRST = "first"


@dataclass(frozen=True)
class MeasuredRun:
    """A suite as it was measured once.

    ``when``: the start of the run (UTC). ``source``: ``baseline`` where the run was made one. ``name``: the run's.
    ``commit``: of ganbench's code, else that which brought the baseline; empty where neither is known. ``reason``: why
    it was made a baseline.
    """

    when: datetime
    source: Literal["run", "baseline"]
    name: str
    commit: str
    run: ComparedRun
    reason: str = ""


def history(suite: str, results: Path) -> tuple[tuple[MeasuredRun, ...], tuple[str, ...]]:
    """The points of a suite, oldest first, and a line for each run or baseline that is left out because it is damaged.

    Runs are those of results/<suite>/ that have finished; the baseline is results/baselines/<suite>.csv and, in a git
    repository, every version of it that was committed. A run that is there as a baseline too is one point;
    so are two folders of the same run, unless they say otherwise: then each goes by its folder's name.
    """
    found: dict[str, list[MeasuredRun]] = {}
    notes = []
    for made in (*_runs(suite, results), *_baselines(results / "baselines" / f"{suite}.csv")):
        if isinstance(made, str):
            notes.append(made)
        else:
            _add(made, found.setdefault(made.name, []))
    named = [point if len(alike) == 1 else _by_folder(point) for alike in found.values() for point in alike]
    return tuple(sorted(named, key=lambda point: (point.when, point.name))), tuple(dict.fromkeys(notes))


def prior_runs(points: Sequence[MeasuredRun]) -> list[ComparedRun]:
    """The sides from which the next may be predicted: those since a baseline was last accepted for a reason."""
    accepted = [at for at, point in enumerate(points) if point.reason not in ("", FIRST)]
    return [point.run for point in points[max(accepted, default=0) :]]


def _add(made: MeasuredRun, alike: list[MeasuredRun]) -> None:
    """Add a point to those of its name, or join it with the one of them that has the same numbers."""
    for at, known in enumerate(alike):
        if known.run.cases == made.run.cases:
            commit, reason = known.commit or made.commit, known.reason or made.reason
            alike[at] = replace(known, source=made.source, commit=commit, reason=reason)
            return
    alike.append(made)


def _by_folder(point: MeasuredRun) -> MeasuredRun:
    """A run's point by the name of the folder that it was read from; a baseline has none."""
    label = Path(point.run.label)
    return point if label.suffix == ".csv" else replace(point, name=label.name)


def _runs(suite: str, results: Path) -> Iterator[MeasuredRun | str]:
    for path in sorted((results / suite).glob("[!.]*/")):
        folder = RunFolder(path)
        try:
            folder.describe()
        except NotARunError:
            continue
        try:
            if folder.finished:
                yield _point("run", *describe_run(folder), "", str(path))
        except (OSError, ValueError) as error:
            yield f"left out: {error}"


def _baselines(path: Path) -> Iterator[MeasuredRun | str]:
    """The baseline as its file is now, and as each commit that touched it had it."""
    if path.is_file():
        try:
            yield _point("baseline", *open_baseline(path), "", str(path))
        except ValueError as error:
            yield f"left out: {error}"
    # Git remembers a folder that is no longer there, but cannot be asked in it.
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    inside = path.absolute().relative_to(folder)
    beside = inside.with_name(f"{path.stem}.json")
    for commit in git.versions(inside, folder):
        table, about = (git.ask("show", f"{commit}:./{name.as_posix()}", around=folder) for name in (inside, beside))
        if not table or not about:
            continue  # the commit that took it away
        label = f"{commit[:10]}:{path}"
        try:
            yield _point("baseline", *read(table, about, label), commit, label)
        except ValueError as error:
            yield f"left out: {error}"


def _point(
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
