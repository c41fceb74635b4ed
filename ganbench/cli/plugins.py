"""``ganbench list``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganbench.cli.options import console_for, plugins_option

KINDS = ("loss", "architecture", "dataset", "metric", "update", "optimizer", "reference")


@click.command("list")
@click.argument("kind", metavar="[KIND]", type=click.Choice(KINDS), required=False)
@plugins_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_plugins(kind: str | None, plugins: Path | None, as_json: bool) -> None:
    """List the plugins with their parameters, citation and where they come from, and what is broken.

    KIND is loss, architecture, dataset, metric, update, optimizer or reference.
    """
    from ganbench.registry import Registry
    from ganbench.report.plugins import show_plugins

    registry = Registry.load([Path("plugins")], plugins)
    if as_json:
        click.echo(json.dumps(registry.as_rows(kind), indent=2))
    else:
        show_plugins(registry.as_rows(kind), console_for())
