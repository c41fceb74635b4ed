"""``ganbench history``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, console_for, tell

if TYPE_CHECKING:
    from ganbench.compare.history.history import MeasuredRun
    from ganbench.compare.history.series import Series


@click.command()
@click.argument("suite")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default="results",
    show_default=True,
    metavar="DIR",
    help="Where runs are kept: DIR/<suite>/<run>/, and baselines: DIR/baselines/.",
)
@click.option("--case", "cases", multiple=True, metavar="CASE", help="Only this dataset/variant; may be repeated.")
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME",
    help="This measure in place of the JSD; 'all' for all measures; may be repeated.",
)
@click.option("--html", "as_html", is_flag=True, help="Write them as a page, DIR/<suite>/history.html.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the page to FILE instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def history(
    suite: str,
    results: Path,
    cases: tuple[str, ...],
    measures: tuple[str, ...],
    as_html: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show how the numbers of SUITE have changed: its finished runs, and its baseline with its history in git.

    SUITE is a suite's name, its file, its folder of runs, or one of these runs.
    Where the level of a number has shifted, the commits before and after the shift are named.
    """
    from ganbench.compare.history.history import history as read_history
    from ganbench.compare.history.series import series
    from ganbench.report.history import as_object, pick, show_history

    if home := _home(Path(suite)):
        suite, results = home.name, home.parent
    name = _name(suite)
    try:
        points, notes = read_history(name, results)
        if not points:
            left_out = "".join(f"; {note}" for note in notes)
            raise ValueError(
                f"{results}: no finished run of {name!r} and no baseline; 'ganbench run {suite}' makes one{left_out}"
            )
        found = pick(series([point.run for point in points]), cases, measures)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    if as_html or out is not None:
        path = out or results / name / "history.html"
        _write_page(path, name, points, found, notes)
    if as_json:
        click.echo(json.dumps(as_object(name, points, found, notes)))
        return
    show_history(points, found, console_for())
    for note in notes:
        tell(note)
    if as_html or out is not None:
        click.echo(str(path))


def _write_page(
    path: Path, suite: str, points: Sequence[MeasuredRun], found: Sequence[Series], notes: Sequence[str]
) -> None:
    from ganbench.core.disk import make_folder, os_error_line, write
    from ganbench.report.page.history_page import history_page

    try:
        make_folder(path.parent)
        write(path, history_page(suite, points, found, notes))
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, path)}; write it elsewhere with --out FILE") from None


def _home(path: Path) -> Path | None:
    """The suite's folder of runs that a path names, by itself or by one of its runs; None where it is none."""
    from ganbench.compare.sides.load import runs

    if not path.is_dir():
        return None
    home = path.resolve().parent if (path / "run.json").is_file() else path.resolve()
    near = Path(os.path.relpath(home)) if home.is_relative_to(Path.cwd()) else home
    return near if near.name and runs(home) else None


def _name(suite: str) -> str:
    """The name of a suite: the argument itself, or the name in the file that it names."""
    if Path(suite).suffix not in (".yaml", ".yml"):
        return suite
    from ganbench.suite import document
    from ganbench.suite.mistake import SuiteError

    try:
        content = document.read(Path(suite)).value
    except SuiteError as error:
        raise UserMistakeError(str(error)) from None
    if not isinstance(content, dict) or not isinstance(content.get("suite"), str):
        raise UserMistakeError(f"{suite}: is no suite: it has no key 'suite'")
    return str(content["suite"])
