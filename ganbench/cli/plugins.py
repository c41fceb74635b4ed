"""``ganbench list``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganbench.cli.options import console_for, plugins_option
from ganbench.kinds import plural

KINDS = ("loss", "architecture", "dataset", "metric", "update", "optimizer", "reference")


def _kind(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A kind, by its name or that name's plural."""
    kind = {plural(kind): kind for kind in KINDS}.get(value or "", value)
    if kind is not None and kind not in KINDS:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(map(repr, KINDS))}.")
    return kind


@click.command("list")
@click.argument("kind", metavar="[KIND]", callback=_kind, required=False)
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
