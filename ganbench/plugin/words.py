"""What the field calls things: plugins/words.yaml, other names of plugins, parameters and keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ganbench.plugin import shipped

#: Beside the plugins: other names of the shipped ones, and what to write for words that name no one plugin.
WORDS = "words.yaml"
#: The sections of parameters and of what functions are given, among those of the kinds.
PARAMETERS, GIVEN = "parameter", "given"


def same(word: str) -> str:
    """A word as it is compared: without case, hyphens, underscores, dots and spaces."""
    return re.sub(r"[-_.\s]", "", word).lower()


def parameter_cure(word: str, known: Iterable[str], value: str = "") -> str:
    """What to write for a word that is no parameter, as the end of a message; empty where nothing is known.

    Args:
        word: what was written as a parameter's name.
        known: the parameters that there are.
        value: what was written there, as a suite writes it; empty where it is no single value.

    Returns:
        For example ``: it is called 'lr' here``.
    """
    known, meant = tuple(known), same(word)
    for name, entries in _words().get(PARAMETERS, {}).get("about", {}).items():
        for entry in entries if isinstance(entries, list) else [entries]:
            if name in known and meant in map(same, entry["of"]):
                return f": {entry['write']}".replace("VALUE", value or "...")
    found = [name for name in known if same(name) == meant]
    found = found or [name for name in known if meant in map(same, called(PARAMETERS).get(name, ()))]
    return f": it is called {' or '.join(map(repr, found))} here" if found else ""


def given_cure(word: str, given: Iterable[str]) -> str:
    """What a function is given under another name than ``word``, as the end of a message; empty where unknown."""
    meant = same(word)
    found = [name for name, words in called(GIVEN).items() if name in given and meant in map(same, words)]
    return f"; it is called {' or '.join(map(repr, found))} here" if found else ""


def key_cure(word: str, value: str) -> str:
    """Where a suite says what a key of another tool's file says, as the end of a message; empty where that is unknown.

    Args:
        word: the key.
        value: what was written there, as a suite writes it; empty where it is no single value.
    """
    return _cure("key", word).replace("VALUE", value or "...")


def published_cure(word: str) -> str:
    """What to write for a key of a published number, as the end of a message; empty where nothing is known."""
    return _cure("published", word)


def average_cure(word: str) -> str:
    """What to write for a key of a running average, as the end of a message; empty where nothing is known."""
    return _cure("average", word)


def _cure(section: str, word: str) -> str:
    found = (entry["write"] for entry in _words().get(section, ()) if same(word) in map(same, entry["of"]))
    return next((f": {text}" for text in found), "")


def _words() -> dict[str, Any]:
    path = shipped.folder("plugins") / WORDS
    return _read(path) if path.is_file() else {}


@cache
def _read(path: Path) -> dict[str, Any]:
    import yaml

    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def called(kind: str) -> dict[str, tuple[str, ...]]:
    """The other names of each shipped plugin of a kind."""
    return {name: tuple(_flat(words)) for name, words in _words().get(kind, {}).get("called", {}).items()}


def _flat(words: list[Any]) -> Iterator[str]:
    for word in words:
        yield from _flat(word) if isinstance(word, list) else (word,)


def about(kind: str) -> dict[str, str]:
    """What to write for each word that names no one plugin of a kind; the words as ``same`` compares them."""
    return {same(word): text for word, text in _words().get(kind, {}).get("about", {}).items()}
