"""A run of a comparison by the name that the user gives: a run, a suite's runs, a baseline, or one in git."""

from __future__ import annotations

import re
from pathlib import Path

from ganbench.compare.sides.baseline import HOME, baselines, open_baseline
from ganbench.compare.sides.baseline_reader import read
from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.sides.description import compared_run, describe_run
from ganbench.core import git
from ganbench.core.messages import suggest
from ganbench.record.folder import NotARunError, RunFolder

_ENDS = (".csv", ".json")
#: How a path begins on Windows, which is no revision.
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_LISTED = 8


def load(text: str, *, suite: str | None = None) -> ComparedRun:
    """The run or baseline that ``text`` names.

    A run's folder; a folder of runs, of which the newest is taken; a baseline (its .csv, its .json, or the path without
    either; its folder, where ``suite`` is known); REV:FILE, a baseline at a git revision, from the working folder or
    the repository's top; or a revision alone, which is its results/baselines/<suite>.csv. ``suite``: the suite of the
    other run. Raises ValueError, in one line: what was looked for, and what there is instead.
    """
    path = Path(text)
    if path.is_dir() and not (known := baselines(path)):
        folder = find_run(path)
        return compared_run(*describe_run(folder), label=str(folder.path))
    if path.is_dir():
        if (own := path / f"{suite}.csv") not in known:
            wanted = f"has no baseline of suite {suite!r}" if suite else "holds baselines: name one"
            raise ValueError(f"{text}: {wanted}; there {'is' if len(known) == 1 else 'are'} {_listed(known)}")
        return compared_run(*open_baseline(own), label=str(own))
    table = path.with_name(f"{_stem(path.name)}.csv") if path.name else path
    if path.is_file() or table.is_file():
        if (path.parent / "run.json").is_file():
            raise ValueError(f"{text}: is a file of a run: name its folder, {path.parent}")
        if path.is_file() and not text.endswith(_ENDS):
            raise ValueError(f"{text}: is neither a run's folder nor a baseline, which is a .csv with its .json beside")
        return compared_run(*open_baseline(table), label=text)
    return _at_revision(text, suite)


def find_run(path: Path) -> RunFolder:
    """The run in a folder, or the newest of the runs in it, if that has finished.

    Raises ValueError, in one line, where there is none.
    """
    if (path / "run.json").is_file():
        return RunFolder.open(path)
    if not path.is_dir():
        raise ValueError(f"{path}: there is no such run{suggest(str(path), _near(path))}")
    found = runs(path)
    if found and found[-1].finished:
        return found[-1]
    if found:
        # An older run may be of other code, and must not be mistaken for the newest.
        raise ValueError(
            f"{path}: its newest run has not finished: give the command of {found[-1].path} again, or name a run"
        )
    if suites := [inner for inner in _folders(path) if runs(inner)]:
        raise ValueError(f"{path}: holds the runs of suites: name one, such as {_listed(suites)}")
    raise ValueError(f"{path}: holds no run: a run is a folder with a run.json")


def runs(home: Path) -> list[RunFolder]:
    """The runs in a suite's folder, finished or not, the oldest first."""
    found = []
    for path in _folders(home):
        folder = RunFolder(path)
        try:
            found.append((str(folder.describe().get("created", "")), path.name, folder))
        except NotARunError:
            continue
    return [folder for _, _, folder in sorted(found, key=lambda one: one[:2])]


def _at_revision(text: str, suite: str | None) -> ComparedRun:
    name, colon, file = ("", "", "") if _DRIVE.match(text) else text.partition(":")
    commit = git.commit_of(name) if name else None
    if commit is None:
        if colon and name:
            raise ValueError(
                f"{text}: there is no git revision {name!r} here{suggest(name, git.names())}{git.missing(name)}"
            )
        known = [*_near(Path(text)), *git.names()]
        raise ValueError(
            f"{text}: there is no such run, baseline or git revision{suggest(text, known)}{_missing(text)}"
        )
    if not colon:
        if suite is None:
            raise ValueError(f"{text}: of which suite is the baseline? Write {text}:{HOME.as_posix()}/SUITE.csv")
        file = (HOME / suite).as_posix()
    stem = _stem(Path(file).as_posix())
    table, about = (git.content(commit, stem + end) for end in _ENDS)
    if table is None:
        there = [path for path in git.files(commit, ".csv") if Path(path).parent.name == HOME.name]
        has = f"it has {_listed(there)}" if there else "no baseline was committed then"
        raise ValueError(f"{name} ({commit[:12]}) has no file {stem}.csv; {has}")
    if about is None:
        raise ValueError(f"{name} ({commit[:12]}) has {stem}.csv, but no {stem}.json beside: it is no baseline")
    label = f"{name}:{stem}.csv"
    return compared_run(*read(table, about, label), label=label)


def _missing(text: str) -> str:
    """What git may lack, where the text can name a revision rather than a file or folder."""
    is_path = text.endswith(_ENDS) or text.startswith((".", "/", f"{HOME.parts[0]}/")) or _DRIVE.match(text)
    return "" if is_path else git.missing(text)


def _near(path: Path) -> list[str]:
    """What the user may have meant by a path that does not exist: runs, suites' folders of runs, baselines."""
    results = HOME.parent
    found = [*baselines(HOME), *(folder for folder in _folders(results) if runs(folder))]
    found += [folder.path for folder in runs(path.parent)[-_LISTED:]]
    return [one.as_posix() for one in dict.fromkeys(found)]


def _folders(home: Path) -> list[Path]:
    return sorted(path for path in home.glob("[!.]*") if path.is_dir())


def _stem(name: str) -> str:
    """A baseline's name without the suffix of either file; a suite's own name may have dots."""
    return next((name.removesuffix(end) for end in _ENDS if name.endswith(end)), name)


def _listed(paths: list[Path] | list[str]) -> str:
    names = [path.as_posix() if isinstance(path, Path) else path for path in paths]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
