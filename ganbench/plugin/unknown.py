"""A name that no plugin has: what to write for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganbench.core.controls import on_one_line
from ganbench.plugin.entry import Entry
from ganbench.plugin.types import Metric
from ganbench.plugin.words import about, called, same


def aliases(entry: Entry) -> tuple[str, ...]:
    """The other names of a plugin: those that it names itself and, for a shipped one, those that the field has."""
    known = called(entry.kind).get(entry.name, ()) if entry.origin == "shipped" else ()
    return tuple(dict.fromkeys([*entry.value.aliases, *known]))


def cure(kind: str, word: str, entries: Iterable[Entry]) -> str:
    """What to write for a word that is no plugin's name, as the end of a message; empty where nothing is known.

    Args:
        kind: the kind of plugin that was wanted.
        word: what was written.
        entries: the plugins of all kinds.

    Returns:
        For example ``: it is called 'least-squares' here``.
    """
    entries, meant = tuple(entries), same(word)
    if meant in ("none", "null", "nil", "off", "no", "false") and meant not in about(kind):
        return ": write a name, or leave the key out for the default"
    of_kind = [entry for entry in entries if entry.kind == kind]
    if written := _names(entry for entry in of_kind if same(entry.name) == meant):
        return f": write {written}"
    if called := _names(entry for entry in of_kind if meant in map(same, aliases(entry))):
        return f": it is called {called} here"
    # A dataset may be named by its file, as data/points.csv.
    ending = Path(word).suffix.removeprefix(".")
    if cure := about(kind).get(meant) or (about(kind).get(same(ending)) if ending else None):
        return f": {cure.replace('FILE', on_one_line(word)) if ending else cure}"
    if filled := _names(entry for entry in of_kind if _fills(entry, meant)):
        return f": it is a column of the metric {filled}, name that"
    for other in entries:
        if other.kind != kind and meant == same(other.name):
            return f": it is {_a(other.kind)}, not {_a(kind)}"
    return ""


def _names(entries: Iterable[Entry]) -> str:
    return " or ".join(map(repr, dict.fromkeys(entry.name for entry in entries)))


def _fills(entry: Entry, column: str) -> bool:
    return isinstance(entry.value, Metric) and column in (same(one.name) for one in entry.value.columns)


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aou' else 'a'} {kind}"
