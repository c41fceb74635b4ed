"""``ganbench list``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, console_for, plugins_option
from ganbench.core.controls import without_controls
from ganbench.plugin.kinds import KINDS, plural

if TYPE_CHECKING:
    from ganbench.plugin.entry import Broken, Entry, NoPlugin
    from ganbench.plugin.listing import Row


@click.command("list")
@click.argument("what", metavar="[KIND|NAME|FILE]...", nargs=-1)
@plugins_option
@click.option("--verbose", "-v", is_flag=True, help="Print also the parameters of each.")
@click.option("--bibtex", "as_bibtex", is_flag=True, help="Print the papers that they cite, as BibTeX.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_plugins(what: tuple[str, ...], plugins: Path | None, verbose: bool, as_bibtex: bool, as_json: bool) -> None:
    """List the plugins, a line each with its citation, and the plugins that are broken.

    KIND is loss, penalty, architecture, dataset, metric, update, optimizer, schedule, reference or observer: shows
    its plugins with their parameters. NAME is a plugin's name, or another name of it: shows all documentation of it.
    FILE is a plugin file: shows all plugins in it.
    """
    if as_bibtex and as_json:
        raise click.UsageError("--bibtex and --json: choose one")
    from ganbench.plugin.citation import bibtex, find
    from ganbench.plugin.kept_rows import shipped_rows
    from ganbench.plugin.listing import listed, rows_of
    from ganbench.plugin.registry import Registry
    from ganbench.report.plugins import show_plugin, show_plugins

    shipped, failed = shipped_rows()
    guests = Registry.guests([Path("plugins")], plugins)
    known = shipped + rows_of(guests.entries + _of_files(what, [*shipped, *rows_of(guests.entries)]))
    broken = (*failed, *guests.broken)
    rows, named = _chosen(listed(known, broken), broken, what)
    docs = [row.pop("documentation") for row in rows]
    if as_json:
        lines = [(doc.splitlines() or [""])[0] for doc in docs]
        click.echo(json.dumps([row | {"citation": line} for row, line in zip(rows, lines, strict=True)], indent=2))
        return
    if as_bibtex:
        pairs = zip(rows, docs, strict=True)
        entries = bibtex(
            (f"{row['kind']} {row['name']}", one) for row, doc in pairs if row["kind"] for one in find(doc)
        )
        click.echo(without_controls(entries), nl=False)
        return
    console = console_for()
    if named:
        for index, (row, doc) in enumerate(zip(rows, docs, strict=True)):
            if index:
                console.print()
            show_plugin(row, doc, console)
    else:
        show_plugins(rows, docs, console, parameters=verbose or bool(what))
        if guests.passed_over and not what:
            console.print(_not_executed(guests.passed_over), soft_wrap=True)
        if console.is_terminal:
            console.print("ganbench list NAME shows all of one, --verbose parameters, --bibtex the papers")


def _not_executed(files: Iterable[NoPlugin]) -> str:
    """A line about the files that are no plugins."""
    from ganbench.plugin.registry import display

    names = [display(each.source) for each in files]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"not executed, since it has no hook or is no file to open: {', '.join(names[:3])}{more}"


def _of_files(what: tuple[str, ...], known: Iterable[Row]) -> tuple[Entry, ...]:
    """The plugins of the named files that are not known already. Raises UserMistakeError for a broken one."""
    from ganbench.plugin.entry import Broken, Entry
    from ganbench.plugin.loader import load_named

    seen = {Path(row["source"]).resolve() for row in known}
    found: tuple[Entry, ...] = ()
    for file in (Path(word) for word in what if word.endswith(".py")):
        if not file.is_file():
            raise UserMistakeError(f"{file}: there is no such file")
        if file.resolve() in seen:
            continue
        seen.add(file.resolve())
        outcomes = load_named(file, "file")
        if broken := [each for each in outcomes if isinstance(each, Broken)]:
            raise UserMistakeError("\n".join(f"{file}: {each.cause}" for each in broken))
        found += tuple(each for each in outcomes if isinstance(each, Entry))
    return found


def _chosen(everything: list[Row], broken: Sequence[Broken], what: tuple[str, ...]) -> tuple[list[Row], bool]:
    """The rows of the kinds, names or files in ``what``, or all rows; and whether ``what`` has names or files only."""
    from ganbench.core.messages import suggest
    from ganbench.plugin.words import same

    if not what:
        return everything, False
    kinds = {plural(kind): kind for kind in KINDS} | {kind: kind for kind in KINDS}
    rows: list[Row] = []
    for word in what:
        if word.endswith(".py"):
            found = [row for row in everything if row["kind"] and Path(row["source"]).resolve() == Path(word).resolve()]
        elif word in kinds:
            found = [row for row in everything if row["kind"] == kinds[word]]
        else:
            found = [row for row in everything if row["name"] == word]
            found = found or [
                one for one in everything if same(word) in map(same, [one["name"] or "", *one["aliases"]])
            ]
        if word not in kinds and not found:
            known = [row["name"] for row in everything if row["name"]]
            near = suggest(word, [*kinds, *known])
            begun = [kind for kind in KINDS if len(word) > 2 and kind.startswith(word.lower())]
            near = near if near.startswith(", did") else f", did you mean {begun[0]!r}?" if begun else ""
            causes = [
                f" ({row['source']} could not be loaded: {row['broken']})"
                for row, each in zip(everything[len(known) :], broken, strict=True)
                if each.defines(word) or not near
            ]
            message = f"{word!r} is not one of {', '.join(map(repr, KINDS))}, nor a plugin's name{near}"
            raise click.UsageError(message + "".join(causes), ctx=click.get_current_context())
        rows += [row for row in found if row not in rows]
    named = not any(word in kinds for word in what)
    return (rows if named else rows + [row for row in everything if not row["kind"]]), named
