"""What a list says of plugins: plain data, for which nothing has to be executed again."""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ganbench.core.messages import describe_schema
from ganbench.plugin.entry import Broken, Entry
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.registry import clash, display
from ganbench.plugin.unknown import aliases

Row = dict[str, Any]


def rows_of(entries: Sequence[Entry]) -> list[Row]:
    """A row for each plugin; ``documentation`` is its file's docstring, ``source`` as the entry has it."""
    shared = Counter(str(entry.source) for entry in entries)
    return [
        {
            "kind": entry.kind,
            "name": entry.name,
            "aliases": [*aliases(entry)],
            "parameters": [
                {
                    "name": parameter.name,
                    "type": describe_schema(parameter.json_schema),
                    "default": parameter.plain_default,
                    "required": parameter.required,
                }
                for parameter in entry.parameters
            ],
            "citation": entry.doc,
            "source": entry.source,
            "origin": entry.origin,
            "sha256": entry.sha256,
            "documentation": _documentation(entry, alone=shared[str(entry.source)] == 1),
        }
        for entry in entries
    ]


def _documentation(entry: Entry, *, alone: bool) -> str:
    """A plugin's documentation: its file's docstring, after its function's where the file has several plugins.

    Where the file cannot be read, its citation line.
    """
    of_file = entry.doc
    # A source that is no file cannot be read, and a file that was changed since it was loaded may not parse.
    with contextlib.suppress(OSError, SyntaxError, ValueError):
        of_file = ast.get_docstring(ast.parse(Path(entry.source).read_bytes())) or of_file
    given = () if alone else (getattr(entry.value, name) for name in KINDS[entry.kind].given)
    own = (inspect.getdoc(function) for function in given if inspect.isfunction(function))
    return "\n\n".join([*filter(None, own), of_file])


def listed(rows: Iterable[Row], broken: Iterable[Broken]) -> list[Row]:
    """All that is listed: a row for each plugin, by kind and name, then one for each broken plugin.

    Args:
        rows: those of ``rows_of``.
        broken: the plugins that could not be loaded.

    Returns:
        The rows, with ``source`` as people write it. ``broken`` is None or the cause, as for plugins that share a
        name; a broken plugin has no kind or name.
    """
    order = list(KINDS)
    named: dict[tuple[str, str], list[Path | str]] = {}
    for row in (rows := [*rows]):
        named.setdefault((row["kind"], row["name"]), []).append(row["source"])
    found = []
    for row in sorted(rows, key=lambda row: (order.index(row["kind"]), row["name"])):
        sources = named[row["kind"], row["name"]]
        cause = clash(row["kind"], row["name"], sources) if len(sources) > 1 else None
        found.append(row | {"source": display(row["source"]), "broken": cause})
    nothing: Row = {"kind": None, "name": None, "aliases": [], "parameters": [], "citation": ""}
    return found + [
        nothing
        | {
            "source": display(each.source),
            "origin": each.origin,
            "sha256": None,
            "documentation": "",
            "broken": each.cause,
        }
        for each in broken
    ]
