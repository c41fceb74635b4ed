"""``ganbench report``."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, tell
from ganbench.cli.run_argument import name_newest, newest_run

#: The file in a run's folder.
NAME = "report.html"


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the page to FILE.")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def report(folders: tuple[Path, ...], out: Path | None, open_: bool) -> None:
    """Write a page of a RUN, finished or not: one HTML file with everything in it, that needs no network.

    It is report.html in the run's folder; several runs stand side by side in one page, in the folder of the first. RUN
    is a run's folder, or a suite's folder of runs: its newest.
    """
    from ganbench.core.disk import os_error_line
    from ganbench.record.folder import write
    from ganbench.report.page.page import page
    from ganbench.report.page.shown_run import ShownRun

    try:
        opened = [newest_run(folder) for folder in folders]
        runs = [ShownRun.read(folder) for folder in opened]
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    for folder, asked in zip(opened, folders, strict=True):
        name_newest(folder, asked)
    for run in runs:
        for line in run.warnings:
            tell(f"{run.folder.path}: {line}")
    path = out or opened[0].path / NAME
    try:
        write(path, page(runs))
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, path)}; write it elsewhere with --out FILE") from None
    click.echo(str(path))
    if open_:
        click.launch(path.resolve().as_uri())
