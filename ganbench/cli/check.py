"""``ganbench check``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, console_for, plugins_option, tell
from ganbench.core.streams import aside
from ganbench.plugin.kinds import KINDS

if TYPE_CHECKING:
    from ganbench.plugin.entry import Entry
    from ganbench.plugin.registry import Registry


@click.command()
@click.argument("plugins_named", metavar="[FILE|NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every plugin that is found.")
@click.option("--kind", type=click.Choice(list(KINDS)), metavar="KIND", help="Check only plugins of this kind.")
@click.option("--compile", "compiled", is_flag=True, help="Really compile each step; each takes some seconds.")
@plugins_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list, an object for each property.")
def check(
    plugins_named: tuple[str, ...],
    everything: bool,
    kind: str | None,
    compiled: bool,
    plugins: Path | None,
    as_json: bool,
) -> None:
    """Check that plugins are right: a line for each property, which passes, fails, or does not apply.

    A FILE is a plugin file, and all of its plugins are checked; a NAME is the name of a plugin that ganbench finds.
    Exits with 1 where a property fails, and with 2 where a plugin could not be loaded: the others are still checked.
    """
    if everything == bool(plugins_named):
        raise UserMistakeError("give the plugins' files or names, or --all")
    from ganbench.plugin.registry import Registry
    from ganbench.report.check import show_results
    from ganbench.testing import conformance as kit

    registry = Registry.load([Path("plugins")], plugins)
    meant, mistakes = _meant(registry, plugins_named, kind)
    for line in mistakes:
        tell(line)
    console, rows, done, failed = console_for(), [], 0, 0
    try:
        for beside, entry in meant:
            with aside():
                results = tuple(kit.results(entry, beside, compile=compiled))
            done += 1
            failed += any(result.status == "fail" for result in results)
            rows += [asdict(result) for result in results]
            if not as_json:
                show_results(results, console, brief=len(meant) > 1)
            if twin := kit.twin(entry, registry):
                tell(twin)
        code = 2 if mistakes else 1 if failed else 0
    except KeyboardInterrupt:
        click.echo(f"stopped after {done} of {len(meant)}, {failed or 'none'} failed", err=True)
        code = 130
    if as_json and (meant or not mistakes):
        click.echo(json.dumps(rows, indent=2))
    sys.exit(code)


def _meant(
    registry: Registry, named: tuple[str, ...], kind: str | None
) -> tuple[list[tuple[Registry, Entry]], list[str]]:
    """The plugins to check, each with the registry to check it in, and a line for each that cannot be checked."""
    from ganbench.plugin.registry import display
    from ganbench.testing import conformance as kit

    meant: list[tuple[Registry, Entry]] = []
    mistakes = [] if named else [f"{display(each.source)}: {each.cause}" for each in registry.broken]
    every = dict.fromkeys((entry.kind, entry.name) for entry in registry.entries if kind in (None, entry.kind))
    asked = [partial(kit.find, name, registry, kind) for name in named]
    asked += [] if named else [partial(kit.find, name, registry, of_kind) for of_kind, name in every]
    for find in asked:
        try:
            beside, entries = find()
        except (LookupError, ValueError) as problem:
            mistakes.append(str(problem))
        else:
            meant += [(beside, entry) for entry in entries]
    return meant, mistakes
