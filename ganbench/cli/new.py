"""``ganbench new``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError
from ganbench.core.disk import os_error_line
from ganbench.core.messages import suggest
from ganbench.plugin.kinds import KINDS, plural


def _kind(context: click.Context, parameter: click.Parameter, given: str) -> str:
    """A kind of plugin, also by its plural, as the folders have it."""
    word = given.lower()
    found = [kind for kind in KINDS if word in (kind, plural(kind))]
    if not found:
        raise UserMistakeError(f"KIND must be one of {', '.join(KINDS)}, not {given!r}{_near(word)}")
    return found[0]


def _near(word: str) -> str:
    near = suggest(word, KINDS)
    return near if near.startswith(", did") else ""


@click.command("new")
@click.argument("kind", metavar="KIND", callback=_kind)
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("plugins"),
    show_default=True,
    metavar="DIR",
    help="The folder of plugins to write it to.",
)
def new(kind: str, name: str, folder: Path) -> None:
    """Write a new plugin, complete and working, and its test, to start from.

    KIND is loss, penalty, architecture, dataset, metric, update, optimizer, schedule, reference, observer or
    executor. NAME is its name in a suite, such as my-gan. Nothing is overwritten.
    """
    from ganbench.plugin.registry import Registry, display
    from ganbench.plugin.scaffold import NotNewError, new_plugin

    try:
        plugin = new_plugin(kind, name, folder)
        registry = Registry.load([Path("plugins")], folder if folder.is_dir() else None)
        for twin in registry.entries:
            if (twin.kind, twin.name) == (kind, plugin.name):
                raise NotNewError(
                    f"{kind} {plugin.name!r} is there already, in {display(twin.source)}: choose another name"
                )
        plugin.write()
    except NotNewError as error:
        raise UserMistakeError(str(error)) from None
    except OSError as error:
        raise UserMistakeError(os_error_line(error, folder)) from None
    beside = "" if folder == Path("plugins") else f" --plugins {shlex.quote(str(folder))}"
    click.echo(f"wrote {plugin.path} and {plugin.test_path}\n")
    for what, how in (
        ("edit", f"{plugin.path}: its first line is what 'ganbench list' shows of it"),
        ("check", f"ganbench check {shlex.quote(str(plugin.path))}"),
        *((("use", f"{plugin.use}, in a suite"),) if kind != "executor" else ()),
        ("run", f"{plugin.use if kind == 'executor' else 'ganbench run SUITE'}{beside}"),
    ):
        click.echo(f"  {what:5}  {how}")
