"""What the commands share: the options of those that read a suite, and how a mistake is reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ganbench.core.controls import without_controls
from ganbench.core.streams import aside
from ganbench.data.data_folder import VARIABLE

if TYPE_CHECKING:
    import torch
    from rich.console import Console

    from ganbench.plugin.registry import Registry
    from ganbench.suite.choice import Choice
    from ganbench.suite.suite import Suite

#: The exit code where the program that reads the output has ended: as of one that SIGPIPE has ended, 128 + 13.
BROKEN_PIPE = 141

Command = Callable[..., None]


class UserMistakeError(click.ClickException):
    """The user's mistake: reported in one or more lines on standard error, with exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message as it is, so that ``file:line:column`` stays at the start of its line."""
        click.echo(without_controls(self.message), file=file or sys.stderr)


def tell(message: str) -> None:
    """A line for the user on standard error; whatever it names controls no terminal."""
    click.echo(without_controls(message), err=True)


def _folder(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise UserMistakeError(f"--plugins {path}: there is no such folder")
    return path


plugins_option = click.option(
    "--plugins",
    type=click.Path(path_type=Path),
    callback=_folder,
    metavar="DIR",
    help="Load also the plugins in this folder.",
)


def _data(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        if not path.is_dir():
            raise UserMistakeError(f"--data {path}: there is no such folder")
        os.environ[VARIABLE] = str(path.resolve())


data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    callback=_data,
    expose_value=False,
    metavar="DIR",
    help=f"The folder of data sets that are files; by default the environment variable {VARIABLE}.",
)


def result_options(command: Command) -> Command:
    """The options of every command that makes a run, and prints its result."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Make the last line of standard output one JSON object."),
        click.option(
            "--no-report",
            is_flag=True,
            envvar="GANBENCH_NO_REPORT",
            show_envvar=True,
            help="Write no page of the run at its end.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            default="results",
            show_default=True,
            metavar="DIR",
            help="Where runs are kept: DIR/<suite>/<run>/.",
        ),
    ):
        command = option(command)
    return command


def suite_options(command: Command) -> Command:
    """The options of every command that reads a suite, and its name."""
    return training_options(click.argument("suite")(command))


def training_options(command: Command) -> Command:
    """The options of every command that may train."""
    for option in (
        plugins_option,
        data_option,
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
    ):
        command = option(command)
    return command


def load_suite(suite: str, seeds: int | None, plugins: Path | None) -> tuple[Suite, Registry]:
    """Load the suite that the user names, with the plugins beside it.

    Args:
        suite: a file, or the name of a shipped suite
        seeds: train seeds 0 to ``seeds`` - 1; None: the suite's
        plugins: a folder of plugins to load too

    Returns:
        The suite, and all plugins that were found.

    Raises:
        UserMistakeError: with all mistakes in the suite, a line each
    """
    from ganbench.plugin.registry import Registry
    from ganbench.suite.load import find, load
    from ganbench.suite.mistake import SuiteError

    try:
        path = find(suite)
        registry = Registry.load([path.parent / "plugins", Path("plugins")], plugins)
        with aside():
            resolved = load(path, registry)
    except SuiteError as error:
        raise UserMistakeError(str(error)) from None
    return (resolved if seeds is None else resolved.with_seeds(seeds)), registry


def observer_named(name: str, registry: Registry) -> Choice:
    """The observer of ``--observer``, with its defaults. Raises UserMistakeError where there is none such."""
    return plugin_named("observer", name, {}, registry)


def plugin_named(kind: str, name: str, given: Mapping[str, Any], registry: Registry) -> Choice:
    """The plugin that an option names.

    Args:
        kind: its kind, which is the option's name too
        name: its name
        given: its parameters; the others have their defaults
        registry: all plugins

    Returns:
        The plugin with its parameters.

    Raises:
        UserMistakeError: there is no such plugin, or no such parameter
    """
    from ganbench.plugin.registry import UnknownNameError
    from ganbench.suite.choice import Choice

    try:
        return Choice.of(registry.get(kind, name), given)
    except UnknownNameError as error:
        raise UserMistakeError(f"--{kind}: {error}") from None
    except ValueError as error:
        raise UserMistakeError(f"--{name}: {error}") from None


def choose_device(name: str) -> torch.device:
    """The device of ``--device``. Raises UserMistakeError where there is no such device."""
    from ganbench.train.device import choose

    try:
        return choose(name)
    except ValueError as error:
        raise UserMistakeError(f"--device: {error}") from None


def console_for(*, stderr: bool = False, file: IO[str] | None = None) -> Console:
    """The console that a command prints to: standard output, unless ``stderr`` or ``file`` is given."""
    from ganbench.report.console import SafeConsole

    console = SafeConsole(stderr=stderr, file=file, highlight=False)
    if not console.is_terminal:
        # A pipe has no width: tables need not be as narrow as a terminal.
        console.width = 120
    return console
