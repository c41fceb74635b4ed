"""The command line. Each command imports what it needs, so that ``ganbench --help`` answers at once.

Exit codes: 0 done; 1 whoever read the output has gone; 2 the user's mistake; 3 a cell failed or nothing was measured;
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ganbench import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.registry import Registry
    from ganbench.suite import Suite

KINDS = ("loss", "architecture", "dataset", "metric", "update", "optimizer")
Command = Callable[..., None]


class Mistake(click.ClickException):
    """The user's mistake: said in one line or more on standard error, and exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message as it is, so that ``file:line:column`` stays at the start of its line."""
        click.echo(self.message, file=file or sys.stderr)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ganbench")
def cli() -> None:
    """Measure GAN variants under one protocol, with many seeds at once and honest error bars.

    A SUITE is a YAML file, or the name of a shipped suite, such as mog.
    """


def _folder(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise Mistake(f"--plugins {path}: there is no such folder")
    return path


plugins_option = click.option(
    "--plugins",
    type=click.Path(path_type=Path),
    callback=_folder,
    metavar="DIR",
    help="A folder of plugins to load too.",
)


def suite_options(command: Command) -> Command:
    """The options of every command that reads a suite."""
    for option in (
        plugins_option,
        click.option(
            "--seeds",
            type=click.IntRange(1, 100_000),
            metavar="N",
            help="Train seeds 0 to N-1 in place of the suite's.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["auto", "compiled", "eager", "serial"]),
            default="auto",
            show_default=True,
            help="How a cell's seeds are trained.",
        ),
        click.option("--device", default="auto", show_default=True, metavar="D", help="auto, cpu, cuda or cuda:N."),
        click.argument("suite"),
    ):
        command = option(command)
    return command


@cli.command()
@suite_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="results",
    show_default=True,
    metavar="DIR",
    help="Where runs are kept: DIR/<suite>/<run>/.",
)
@click.option("--json", "as_json", is_flag=True, help="Make the last line of standard output one JSON object.")
def run(
    suite: str, device: str, engine: str, seeds: int | None, plugins: Path | None, out: Path, as_json: bool
) -> None:
    """Train and measure every cell of SUITE.

    A run that was stopped goes on where it was when the same command is given again.
    """
    resolved, registry = _load(suite, seeds, plugins)
    from ganbench.record.folder import RunLocked
    from ganbench.record.tables import as_rows
    from ganbench.report.live import observer
    from ganbench.report.table import show as show_table
    from ganbench.run import run as run_suite

    console, progress = _console(), _console(stderr=as_json)
    try:
        with observer(progress) as watching:
            result = run_suite(
                resolved,
                registry,
                out=out,
                device=_device(device),
                engine=engine,
                command=["ganbench", *sys.argv[1:]],
                observer=watching,
            )
    except (RunLocked, ValueError) as error:
        raise Mistake(str(error)) from None
    except BrokenPipeError:
        raise  # whoever read our output has gone: click ends us quietly
    except OSError as error:
        raise Mistake(f"{error.filename or out}: {error.strerror or error}; what was measured so far is kept") from None
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    if as_json:
        click.echo(json.dumps({"run": str(result.folder.path), "table": as_rows(result.table)}))
    else:
        show_table(result.table, console, result.columns, result.folder.table)
    sys.exit(0 if result.complete else 3)


@cli.command()
@suite_options
def plan(suite: str, device: str, engine: str, seeds: int | None, plugins: Path | None) -> None:
    """Show the cells of SUITE and how long they will take on this device, without training."""
    resolved, registry = _load(suite, seeds, plugins)
    from ganbench.report.plan import show_plan

    show_plan(resolved, registry, _device(device), engine, _console())


@cli.command("list")
@click.argument("kind", metavar="[KIND]", type=click.Choice(KINDS), required=False)
@plugins_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_plugins(kind: str | None, plugins: Path | None, as_json: bool) -> None:
    """List the plugins with their parameters, citation and where they come from, and what is broken.

    KIND is loss, architecture, dataset, metric, update or optimizer.
    """
    from ganbench.registry import Registry
    from ganbench.report.plugins import show_plugins

    registry = Registry.load([Path("plugins")], plugins)
    if as_json:
        click.echo(json.dumps(registry.as_rows(kind), indent=2))
    else:
        show_plugins(registry.as_rows(kind), _console())


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(folder: Path, as_json: bool) -> None:
    """Show the table of a RUN (its folder), finished or not."""
    from ganbench.record.folder import NotARun, RunFolder
    from ganbench.record.replay import Record
    from ganbench.record.tables import as_rows, table
    from ganbench.report.table import show as show_table

    try:
        opened = RunFolder.open(folder)
        record = Record.read(opened)
        frame = table(record)
    except (NotARun, ValueError) as error:
        raise Mistake(str(error)) from None
    if as_json:
        click.echo(json.dumps({"run": str(opened.path), "table": as_rows(frame)}))
    else:
        show_table(frame, _console(), record.columns, opened.table if record.finished else None)
    if not record.finished:
        click.echo(f"{opened.path} has not finished: what is not measured yet counts as lost", err=True)


def main() -> NoReturn:
    """The entry point of the ``ganbench`` command."""
    try:
        sys.exit(cli.main(prog_name="ganbench", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)


def _load(suite: str, seeds: int | None, plugins: Path | None) -> tuple[Suite, Registry]:
    from ganbench.mistake import SuiteError
    from ganbench.registry import Registry
    from ganbench.suite import find, load

    try:
        path = find(suite)
        registry = Registry.load([path.parent / "plugins", Path("plugins")], plugins)
        resolved = load(path, registry)
    except SuiteError as error:
        raise Mistake(str(error)) from None
    return (resolved if seeds is None else resolved.with_seeds(seeds)), registry


def _device(name: str) -> Any:
    from ganbench.train.device import choose

    try:
        return choose(name)
    except ValueError as error:
        raise Mistake(f"--device: {error}") from None


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        # A pipe has no width; do not fold tables for a terminal that is not there.
        console.width = 120
    return console
