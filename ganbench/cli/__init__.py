"""The command line, a module for each command; it imports what it needs when called, so ``--help`` answers at once.

Exit codes: 0 done; 1 the program that read the output has ended; 2 the user's mistake; 3 a cell or a metric failed, or
nothing was measured; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from ganbench import __version__
from ganbench.cli.baseline import baseline
from ganbench.cli.check import check
from ganbench.cli.compare import compare
from ganbench.cli.export import export
from ganbench.cli.history import history
from ganbench.cli.new import new
from ganbench.cli.plan import plan
from ganbench.cli.plugins import list_plugins
from ganbench.cli.run import run
from ganbench.cli.score import score
from ganbench.cli.show import show
from ganbench.core import streams
from ganbench.core.exits import exits_refused
from ganbench.core.torch_warnings import hidden


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ganbench")
def cli() -> None:
    """Measure GAN variants under one protocol, with many seeds at once and honest error bars.

    A SUITE is a YAML file, or the name of a shipped suite, such as mog.
    """


for command in (run, plan, show, compare, baseline, history, export, score, list_plugins, new, check):
    cli.add_command(command)


def main() -> NoReturn:
    """The entry point of the ``ganbench`` command."""
    try:
        # No plugin ends the process, or takes its streams.
        with streams.kept(), exits_refused(), hidden():
            sys.exit(cli.main(prog_name="ganbench", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
