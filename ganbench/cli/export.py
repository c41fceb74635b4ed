"""``ganbench export``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, tell
from ganbench.cli.run_argument import chosen_run, name_newest


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["pytest-benchmark", "bencher", "optuna"]),
    required=True,
    help="pytest-benchmark: its JSON, speeds with all other numbers as extra_info; bencher: Bencher Metric Format; "
    "optuna: a storage of Optuna, with a study for each data set and swept variant.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write, in place of standard output.",
)
def export(folder: Path, form: str, out: Path | None) -> None:
    """Print the numbers of a RUN as JSON for the dashboards of other tools, or write a sweep as studies of Optuna.

    RUN is a run's folder, or a suite's folder of runs: its newest, which must have finished.
    """
    from ganbench.core.disk import write
    from ganbench.record.control import controls
    from ganbench.record.gaps import gap_lines
    from ganbench.record.record import Record
    from ganbench.report.exports import EXPORTS
    from ganbench.report.optuna_study import write_study

    opened = chosen_run(folder)
    try:
        record = Record.read(opened)
        for line in gap_lines(record):
            raise ValueError(f"{opened.path}: {line}: run the suite again")
        if form == "optuna":
            written, studies = write_study(record, opened, _named(out))
        else:
            made = EXPORTS[form](record, opened.describe())
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    except OSError as error:
        raise UserMistakeError(f"--out {out}: {error.strerror or error}") from None
    name_newest(opened, folder)
    for one in controls(record):
        if one.void:
            tell(one.void)
    if not record.finished:
        click.echo(f"{opened.path} has not finished: what is not measured yet is not in the export", err=True)
    if form == "optuna":
        click.echo(f"{out}: {written} {'trial' if written == 1 else 'trials'} in {', '.join(studies)}", err=True)
        return
    for line in made.left_out:
        tell(f"left out: {line}")
    text = json.dumps(made.content, indent=2, allow_nan=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        try:
            write(out, text)
        except OSError as error:
            raise UserMistakeError(f"--out {out}: {error.strerror or error}") from None
        click.echo(f"{out}: {made.count} {'case' if made.count == 1 else 'cases'} of {opened.path}", err=True)
    sys.exit(0 if made.count else 3)


def _named(out: Path | None) -> Path:
    if out is None:
        raise ValueError("a study is a file: name it with --out study.log, or --out study.db for SQLite")
    return out
