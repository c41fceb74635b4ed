"""The command line, a module for each command; it imports what it needs when called, so ``--help`` answers at once.

Exit codes: 0 done; 1 worse; 2 the user's mistake; 3 a cell or a metric failed, or nothing was measured; 130 stopped by
Ctrl-C; 141 the program that read the output has ended.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from ganbench import __version__
from ganbench.cli.baseline import baseline
from ganbench.cli.cancel import cancel
from ganbench.cli.check import check
from ganbench.cli.compare import compare
from ganbench.cli.export import export
from ganbench.cli.habits import command_cure, option_cure
from ganbench.cli.history import history
from ganbench.cli.merge import merge
from ganbench.cli.new import new
from ganbench.cli.options import BROKEN_PIPE, UserMistakeError, tell
from ganbench.cli.plan import plan
from ganbench.cli.plugins import list_plugins
from ganbench.cli.report import report
from ganbench.cli.run import run
from ganbench.cli.sample import sample
from ganbench.cli.score import score
from ganbench.cli.show import show
from ganbench.core import streams
from ganbench.core.controls import has_controls, on_one_line
from ganbench.core.exits import exits_refused
from ganbench.core.fresh_process import Begun, DeviceLostError
from ganbench.core.messages import shown
from ganbench.core.shown_warnings import shown_once
from ganbench.core.torch_warnings import hidden


class ReaderEndedError(Exception):
    """The program that reads the output has ended: no OSError, for which click would end with 1, which means worse."""


class Commands(click.Group):
    """The commands, which say by an error of its own that the reader of the output has ended."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """As click does; a group's help is written here."""
        with _reader_there():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does."""
        with _reader_there():
            return super().invoke(ctx)


@contextmanager
def _reader_there() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderEndedError from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ganbench")
def cli() -> None:
    """Measure GAN variants under one protocol, with many seeds at once and honest error bars.

    A SUITE is a YAML file, or the name of a shipped suite, such as mog.
    """


_COMMANDS = (
    run,
    merge,
    cancel,
    plan,
    show,
    report,
    compare,
    baseline,
    history,
    export,
    sample,
    score,
    list_plugins,
    new,
    check,
)
for command in _COMMANDS:
    cli.add_command(command)


def main() -> NoReturn:
    """The entry point of the ``ganbench`` command."""
    code: int | str | None
    begun = Begun.now()
    try:
        try:
            code = _called()
        except DeviceLostError as lost:
            tell(lost.note if begun else str(lost))
            if begun:
                begun.again(lost.run)
            code = 3
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, ReaderEndedError):
        code = BROKEN_PIPE
        _abandon_output()
    except OSError as error:
        # Of a file each command says what it was for: this is the output itself, or a name that is no name.
        code = 2
        _abandon_output()
        tell(f"{shown(error.filename) if error.filename else 'the output'}: {error.strerror or error}")
    sys.exit(code)


def _called() -> int | str | None:
    """The exit code of the command that was given; raises ReaderEndedError where the reader of its output has ended."""
    try:
        if odd := next(filter(has_controls, sys.argv[1:]), ""):
            raise UserMistakeError(f"'{on_one_line(odd)}': an argument cannot have control characters or newlines")
        # No plugin ends the process, or takes its streams.
        with streams.kept(), exits_refused(), shown_once(), hidden():
            done: int | None = cli.main(prog_name="ganbench", standalone_mode=False)
        return done
    except click.UsageError as error:
        _tell_usage(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        tell("stopped")
        return 130
    except SystemExit as stop:
        return stop.code


def _tell_usage(error: click.UsageError) -> None:
    """Say what is wrong with a command, and what to write, where that is known."""
    known = [name for one in (error.ctx.command.params if error.ctx else ()) for name in one.opts]
    cure, said = "", error.format_message()
    # A group alone, for which click 8.1 has no class.
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return
    if isinstance(error, click.NoSuchOption):
        cure = option_cure(error.option_name, known)
        owners = [name for name, one in cli.commands.items() if error.option_name in _options_of(one)]
        if error.ctx and error.ctx.command is cli and owners:
            cure = f"write it after the command, as in: ganbench {owners[0]} ... {error.option_name}"
        if cure:  # what looks alike is another option
            said = error.message
    elif isinstance(error, click.BadParameter) and "--seeds" in (error.param.opts if error.param else ()):
        cure = "it is how many seeds, N for the seeds 0 to N-1; a list of them stands in the suite, seeds: [3, 5, 8]"
    elif found := re.match(r"No such command '(.*?)'", said):
        cure = command_cure(found[1], list(cli.commands))
    message = on_one_line(re.sub(r"\s*\n\s*", " ", said).rstrip(".")) + (f"; {cure}" if cure else "")
    click.UsageError(message, error.ctx).show()


def _options_of(command: click.Command) -> list[str]:
    return [option for one in command.params for option in one.opts]


def _abandon_output() -> None:
    """Send what Python would still write at its end nowhere."""
    with suppress(OSError, ValueError, AttributeError):  # where the output is no file, there is nothing to write
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
