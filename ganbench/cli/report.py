"""``ganbench report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, tell
from ganbench.cli.run_argument import name_newest, newest_run

if TYPE_CHECKING:
    from ganbench.record.folder import RunFolder
    from ganbench.report.page.shown_run import ShownRun

#: The file in a run's folder.
NAME = "report.html"


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the page to FILE.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each chart of one RUN as SVG, PDF and PNG with its caption, in place of the page.",
)
@click.option("--chart", "charts", multiple=True, metavar="NAME", help="Only this file of --figures; may be repeated.")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def report(
    folders: tuple[Path, ...], out: Path | None, figures: Path | None, charts: tuple[str, ...], open_: bool
) -> None:
    """Write a page of a RUN, finished or not: one HTML file with everything in it, that needs no network.

    It is report.html in the run's folder; several runs stand side by side in one page, in the folder of the first. RUN
    is a run's folder, or a suite's folder of runs: its newest.
    """
    from ganbench.core.disk import os_error_line, write
    from ganbench.report.page.page import page
    from ganbench.report.page.shown_run import ShownRun

    if charts and figures is None:
        raise UserMistakeError("--chart: is of --figures DIR, which is not given")
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
    if figures is not None:
        _write_figures(runs, figures, charts)
        return
    path = out or opened[0].path / NAME
    try:
        write(path, page(runs))
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, path)}; write it elsewhere with --out FILE") from None
    click.echo(str(path))
    if open_:
        click.launch(path.resolve().as_uri())


def _write_figures(runs: list[ShownRun], folder: Path, only: tuple[str, ...]) -> None:
    from ganbench.core.disk import os_error_line
    from ganbench.report.page.figure_files import write_figures

    if len(runs) > 1:
        raise UserMistakeError("--figures: of one run at a time")
    try:
        written = write_figures(runs[0], folder, only)
    except ValueError as error:
        raise UserMistakeError(f"--chart {error}") from None
    except OSError as error:
        raise UserMistakeError(f"--figures: {os_error_line(error, folder)}") from None
    click.echo(f"{folder}: {len(written)} charts, each as .svg, .pdf and .png, with its caption as .txt")


def write_report(folder: RunFolder, *, err: bool = False) -> None:
    """Write the page of a run that has just ended and print its path, with ``err`` on standard error.

    A page that cannot be made is a warning: it is no failed run.
    """
    from ganbench.core.disk import write
    from ganbench.report.page.page import page
    from ganbench.report.page.shown_run import ShownRun

    path = folder.path / NAME
    try:
        write(path, page([ShownRun.read(folder)]))
    except Exception as error:
        tell(f"{path} could not be written: {type(error).__name__}: {error}; the run is whole, and so are its tables")
    else:
        click.echo(str(path), err=err)
