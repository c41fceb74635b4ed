"""``ganbench show``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, console_for
from ganbench.cli.run_argument import name_newest, newest_run


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--against", metavar="VARIANT", help="Show how far the other variants are from this one instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(folder: Path, against: str | None, as_json: bool) -> None:
    """Show the table of a RUN, finished or not.

    RUN is a run's folder, or a suite's folder of runs: its newest.
    """
    from ganbench.record.control import as_object, controls
    from ganbench.record.gaps import gap_lines
    from ganbench.record.record import Record
    from ganbench.record.tables.best_of_k import tries
    from ganbench.record.tables.differences import differences
    from ganbench.record.tables.published import published
    from ganbench.record.tables.tables import as_rows, table
    from ganbench.report.differences import show_differences
    from ganbench.report.published import show_published
    from ganbench.report.table import show as show_table
    from ganbench.report.tries import show_tries

    try:
        opened = newest_run(folder)
        record = Record.read(opened)
        frame = table(record)
        apart = None if against is None else differences(record, against)
        best = tries(record, columns=None if as_json else 1) if record.swept else None
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    name_newest(opened, folder)
    if as_json:
        found = {"run": str(opened.path), "table": as_rows(frame)} | as_object(controls(record))
        found |= {"about": list(record.about)} if record.about else {}
        more = {"differences": apart, "tries": best, "published": published(record) if record.published else None}
        click.echo(json.dumps(found | {name: as_rows(one) for name, one in more.items() if one is not None}))
    elif against is not None and apart is not None:
        show_differences(apart, console_for(), record.columns, against)
    else:
        path = opened.table if record.finished else None
        show_table(frame, console_for(), record.columns, path, record.failures, controls(record), record.about)
        if best is not None:
            show_tries(best, console_for(), record.columns)
        if record.published:
            show_published(published(record), console_for(), record.columns, record.published.source)
    for line in gap_lines(record):
        click.echo(f"{opened.path}: {line}: its numbers are not those of the run", err=True)
    if not record.finished:
        click.echo(f"{opened.path} has not finished: what is not measured yet counts as lost", err=True)
