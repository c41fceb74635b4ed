"""``ganbench run``."""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, choose_device, console_for, load_suite, observer_named, suite_options
from ganbench.cli.report import write_report
from ganbench.core.disk import os_error_line

if TYPE_CHECKING:
    from ganbench.run.run import RunResult


@click.command()
@suite_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="results",
    show_default=True,
    metavar="DIR",
    help="Where runs are kept: DIR/<suite>/<run>/.",
)
@click.option("--save-samples", is_flag=True, help="Keep each seed's last samples beside the tables, as .npz.")
@click.option("--save-generators", is_flag=True, help="Keep each seed's generator, for `ganbench sample`.")
@click.option("--shard", metavar="i/n", help="Run part i of n, from 1/n to n/n, each on its machine; then merge them.")
@click.option("--no-pictures", is_flag=True, help="Record nothing for the pictures of a report.")
@click.option(
    "--no-report",
    is_flag=True,
    envvar="GANBENCH_NO_REPORT",
    show_envvar=True,
    help="Write no page of the run at its end.",
)
@click.option(
    "--observer", "observers", multiple=True, metavar="NAME", help="Tell this observer too, such as tensorboard."
)
@click.option("--json", "as_json", is_flag=True, help="Make the last line of standard output one JSON object.")
def run(
    suite: str,
    device: str,
    engine: str,
    seeds: int | None,
    plugins: Path | None,
    out: Path,
    shard: str | None,
    save_samples: bool,
    save_generators: bool,
    no_pictures: bool,
    no_report: bool,
    observers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Train and measure every cell of SUITE.

    A run that was stopped goes on where it was when the same command is given again. A shard is kept under
    DIR/shards/<i>-of-<n>/.
    """
    from ganbench.core.shard import Shard

    try:
        part = None if shard is None else Shard.parse(shard)
    except ValueError as error:
        raise UserMistakeError(f"--shard: {error}") from None
    resolved, registry = load_suite(suite, seeds, plugins)
    told = [observer_named(name, registry) for name in dict.fromkeys(observers)]
    known = {choice.name for choice in resolved.observers}
    resolved = replace(resolved, observers=(*resolved.observers, *(one for one in told if one.name not in known)))
    from ganbench.record.folder import RunLockedError
    from ganbench.record.lock import NoLocksError
    from ganbench.report.live import observer
    from ganbench.run.run import RunStoppedError
    from ganbench.run.run import run as run_suite

    # Each cell collects garbage, for which all that was imported would be looked through: a fifth of a second.
    gc.freeze()
    try:
        with observer(console_for(stderr=as_json)) as watching:
            result = run_suite(
                replace(resolved, pictures=resolved.pictures and not no_pictures),
                out=out,
                device=choose_device(device),
                engine=engine,
                command=["ganbench", *sys.argv[1:]],
                observer=watching,
                save_samples=save_samples,
                save_generators=save_generators,
                shard=part,
            )
    except (RunLockedError, ValueError) as error:
        raise UserMistakeError(str(error)) from None
    except BrokenPipeError:
        raise  # the program that reads our output has ended: click then exits without a message
    except (RunStoppedError, NoLocksError) as error:
        raise UserMistakeError(os_error_line(error, out)) from None
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, out)}; keep runs in another folder with --out DIR") from None
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    sys.exit(print_result(result, as_json=as_json, no_report=no_report))


def print_result(result: RunResult, *, as_json: bool, no_report: bool) -> int:
    """Print the table of a run that has just ended, and write its page.

    Args:
        result: the run
        as_json: whether to print one JSON object in place of the table
        no_report: whether to write no page

    Returns:
        The exit code.
    """
    from ganbench.record.control import as_object
    from ganbench.record.record import Record
    from ganbench.record.tables.best_of_k import tries
    from ganbench.record.tables.tables import as_rows
    from ganbench.report.table import show as show_table
    from ganbench.report.tries import show_tries

    console, record = console_for(), Record.read(result.folder)
    if as_json:
        found = {"run": str(result.folder.path), "table": as_rows(result.table)} | as_object(result.controls)
        click.echo(json.dumps(found | ({"about": list(record.about)} if record.about else {})))
    else:
        told = (result.folder.table, result.failures, result.controls, record.about)
        show_table(result.table, console, result.columns, *told)
        if record.swept:
            show_tries(tries(record, columns=1), console, record.columns)
    if not no_report:
        write_report(result.folder, err=as_json)
    return 0 if result.complete else 3
