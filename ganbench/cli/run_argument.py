"""The argument of a command that takes a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError
from ganbench.core.messages import suggest

if TYPE_CHECKING:
    from ganbench.record.folder import RunFolder

_LISTED = 8


def chosen_run(path: Path) -> RunFolder:
    """The run in a folder, or the newest run in a suite's folder.

    Raises UserMistakeError where there is none, or where the newest has not finished. A baseline is no run here, though
    commands that only read runs accept one.
    """
    from ganbench.compare.sides.load import find_run, runs

    if message := _of_suite(path):
        raise UserMistakeError(message)
    if not path.is_dir():
        table = path if path.suffix == ".csv" else path.with_name(f"{path.name.removesuffix('.json')}.csv")
        what = "is a baseline" if table.is_file() and table.with_name(f"{table.stem}.json").is_file() else "is a file"
        if path.is_file() or what == "is a baseline":
            raise UserMistakeError(f"{path}: {what}: name the folder of a run, or a suite's folder of runs")
        suites = [home for home in sorted(Path("results").glob("[!.]*/")) if runs(home)]
        near = [*suites, *(folder.path for folder in runs(path.parent)[-_LISTED:])]
        raise UserMistakeError(f"{path}: there is no such run{suggest(str(path), (one.as_posix() for one in near))}")
    try:
        return find_run(path)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None


def newest_run(path: Path) -> RunFolder:
    """The run in a folder, or the newest run in a suite's folder, finished or not.

    Raises ValueError where there is none.
    """
    from ganbench.compare.sides.load import find_run, runs
    from ganbench.record.folder import RunFolder

    if message := _of_suite(path):
        raise ValueError(message)
    if (path / "run.json").exists() or path.is_file():
        return RunFolder.open(path)
    if not path.is_dir():
        return find_run(path)
    if found := runs(path):
        return found[-1]
    suites = any(runs(home) for home in path.glob("[!.]*/"))
    return find_run(path) if suites else RunFolder.open(path)


def _of_suite(path: Path) -> str:
    """What to say of a suite, or its name, where a run is wanted: its runs are kept under the name."""
    from ganbench.compare.sides.load import runs

    home = Path("results") / path.stem
    if path.is_dir() or path.suffix not in ("", ".yaml", ".yml") or not runs(home):
        return ""
    return f"{path}: is {'a suite' if path.suffix else 'the name of a suite'}: its runs are in {home.as_posix()}"


def name_newest(run: RunFolder, path: Path) -> None:
    """Say on standard error which run a suite's folder stands for."""
    if run.path != path:
        click.echo(f"{path}: its newest run is {run.path}", err=True)
