"""``ganbench baseline``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, tell
from ganbench.cli.run_argument import chosen_run, name_newest
from ganbench.core.disk import os_error_line

_HOME = "results/baselines"


@click.group()
def baseline() -> None:
    """Save a run as the baseline that later runs of its suite are compared with."""


@baseline.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--reason", metavar="TEXT", help="Why the new numbers are right, if they differ from the baseline's.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=_HOME,
    show_default=True,
    metavar="DIR",
    help="Where baselines are kept: DIR/<suite>.csv and DIR/<suite>.json.",
)
def save(run: Path, reason: str | None, out: Path) -> None:
    """Make RUN the baseline of its suite: two small files, to be committed.

    RUN is a run's folder, or a suite's folder of runs: its newest, which must have finished.
    """
    from ganbench.compare.sides.baseline import save as save_run

    try:
        chosen = chosen_run(run)
        saved = save_run(chosen, out, reason)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    except OSError as error:
        raise UserMistakeError(os_error_line(error, out)) from None
    name_newest(chosen, run)
    files = f"{saved.path} and {saved.path.with_suffix('.json').name}"
    what = f"{saved.rows} rows of {saved.suite}"
    if saved.written:
        click.echo(f"{what} written to {files}: commit both")
    else:
        click.echo(f"{files} say the same already, {what}: left as they are")


@baseline.command("list")
@click.argument("home", metavar="[DIR]", type=click.Path(path_type=Path), default=_HOME)
def list_baselines(home: Path) -> None:
    """List the baselines in DIR, by default results/baselines: suite, rows, when saved, commit, and why.

    A commit is marked (dirty) where its files had uncommitted changes when the run was made.
    """
    from ganbench.compare.sides.baseline import baselines, open_baseline

    if not home.is_dir() and home != Path(_HOME):
        raise UserMistakeError(f"{home}: there is no such folder; a baseline is made by: ganbench baseline save RUN")
    found, damaged = baselines(home), []
    if not found:
        click.echo(f"{home} holds no baseline; one is made by: ganbench baseline save RUN")
    for path in found:
        try:
            table, about = open_baseline(path)
        except ValueError as error:
            damaged.append(str(error))
            continue
        last = about["history"][-1]
        commit = (last["commit"] or "no commit")[:12]
        commit += " (dirty)" if (about["git"] or {}).get("dirty") else ""
        click.echo(f"{about['suite']}  {len(table)} rows  {last['date'][:10]}  {commit}  {last['reason']}")
    for line in damaged:
        tell(line)
    sys.exit(2 if damaged else 0)
