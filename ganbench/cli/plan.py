"""``ganbench plan``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, choose_device, console_for, load_suite, suite_options
from ganbench.core.streams import aside


@click.command()
@suite_options
def plan(suite: str, device: str, engine: str, seeds: int | None, plugins: Path | None) -> None:
    """Show the cells of SUITE and how long they will take on this device, without training."""
    resolved, _ = load_suite(suite, seeds, plugins)
    from ganbench.report.plan import show_plan

    try:
        console = console_for(file=sys.stdout)
        with aside():
            show_plan(resolved, choose_device(device), engine, console)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
