"""``ganbench check``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from ganbench.cli.options import Mistake, console_for, plugins_option

KINDS = ("loss", "penalty", "architecture", "dataset", "metric", "update", "optimizer", "reference")


@click.command()
@click.argument("plugins_named", metavar="[FILE|NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every plugin that is found.")
@click.option("--kind", type=click.Choice(KINDS), metavar="KIND", help="Check only plugins of this kind.")
@click.option("--compile", "compiled", is_flag=True, help="Really compile each step, which takes seconds for each.")
@plugins_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list, an object a property.")
def check(
    plugins_named: tuple[str, ...],
    everything: bool,
    kind: str | None,
    compiled: bool,
    plugins: Path | None,
    as_json: bool,
) -> None:
    """Check that plugins are right: a line for each property, which passes, fails, or does not apply.

    A FILE's values are checked beside the plugins that are found, a NAME is one of these. Exits with 1 where a property
    fails.
    """
    if everything == bool(plugins_named):
        raise Mistake("give the plugins' files or names, or --all")
    from ganbench.registry import Registry
    from ganbench.report.check import show_results
    from ganbench.testing import kit

    registry = Registry.load([Path("plugins")], plugins)
    meant = []
    try:
        if everything:
            if registry.broken:
                raise Mistake("\n".join(f"{each.source}: {each.cause}" for each in registry.broken))
            meant = [
                (registry, registry.get(entry.kind, entry.name))
                for entry in registry.entries
                if kind in (None, entry.kind)
            ]
        for named in plugins_named:
            beside, entries = kit.find(named, registry, kind)
            meant += [(beside, entry) for entry in entries]
    except (LookupError, ValueError) as problem:
        raise Mistake(str(problem)) from None
    console, rows, failed = console_for(), [], False
    for beside, entry in meant:
        results = tuple(kit.results(entry, beside, compile=compiled))
        failed |= any(result.status == "fail" for result in results)
        if as_json:
            rows += [asdict(result) for result in results]
        else:
            show_results(results, console, brief=len(meant) > 1)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    sys.exit(1 if failed else 0)
