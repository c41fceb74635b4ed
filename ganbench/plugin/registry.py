"""The registry: every plugin that can be found, each loaded alone, by kind and name."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from ganbench.core.messages import describe_schema, suggest
from ganbench.plugin import shipped
from ganbench.plugin.entry import Broken, Entry
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.loader import load_entry_point, load_file
from ganbench.plugin.types import Value

V = TypeVar("V", bound=Value)


class UnknownNameError(LookupError):
    """No usable plugin has this name; the message, one line, suggests the name that was probably meant."""

    def __init__(self, kind: str, name: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Registry:
    """The plugins that were found: usable ones and broken ones. Plugins that share a name cannot be used."""

    entries: tuple[Entry, ...] = ()
    broken: tuple[Broken, ...] = ()

    @classmethod
    def load(cls, beside: Sequence[Path] = (), extra: Path | None = None) -> Registry:
        """Find and load plugins: shipped, installed packages, the folders ``beside`` that exist, then ``extra``.

        A file, or content, that was loaded before is skipped. Nothing is raised: broken plugins are listed.
        """
        entries: list[Entry] = []
        broken: list[Broken] = []
        # What a plugin prints while it is loaded must not be part of a command's output.
        with redirect_stdout(sys.stderr):
            for outcome in _found(beside, extra):
                if isinstance(outcome, Entry):
                    entries.append(outcome)
                else:
                    broken.append(outcome)
        return cls(tuple(entries), tuple(broken))

    def names(self, kind: str) -> list[str]:
        """The names of a kind's plugins, sorted."""
        return sorted({entry.name for entry in self.entries if entry.kind == kind})

    def get(self, kind: str, name: str) -> Entry:
        """The plugin of this kind and name; raises UnknownNameError where there is none, or more than one."""
        found = [entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownNameError(kind, name, self._clash(found))
        message = f"unknown {kind} {name!r}"
        suspects = [broken for broken in self.broken if broken.defines(name)]
        if not suspects:
            message += suggest(name, self.names(kind))
        for broken in suspects or (broken for broken in self.broken if not broken.text):
            message += f" ({display(broken.source)} could not be loaded: {broken.cause})"
        raise UnknownNameError(kind, name, message)

    def value(self, kind: type[V], name: str) -> V:
        """The plugin value of this class and name, ``registry.value(Loss, "hinge")``; raises as ``get``."""
        value = self.get(kind.__name__.lower(), name).value
        assert isinstance(value, kind)
        return value

    def as_rows(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Plain data for ``ganbench list``: one row for each plugin, by kind and name, then one for each broken plugin.

        ``broken`` is None or the cause; a broken plugin has no kind or name, so it is in every kind's list.
        """
        order = list(KINDS)
        chosen = [entry for entry in self.entries if kind in (None, entry.kind)]
        rows = [self._row(entry) for entry in sorted(chosen, key=lambda entry: (order.index(entry.kind), entry.name))]
        return rows + [
            {
                "kind": None,
                "name": None,
                "parameters": [],
                "citation": "",
                "source": display(broken.source),
                "origin": broken.origin,
                "sha256": None,
                "broken": broken.cause,
            }
            for broken in self.broken
        ]

    def _row(self, entry: Entry) -> dict[str, Any]:
        twins = [other for other in self.entries if (other.kind, other.name) == (entry.kind, entry.name)]
        return {
            "kind": entry.kind,
            "name": entry.name,
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
            "source": display(entry.source),
            "origin": entry.origin,
            "sha256": entry.sha256,
            "broken": self._clash(twins) if len(twins) > 1 else None,
        }

    @staticmethod
    def _clash(entries: Sequence[Entry]) -> str:
        sources = " and ".join(display(entry.source) for entry in entries)
        return f"{entries[0].kind} {entries[0].name!r} is defined by {sources}: rename or remove all but one"


def display(source: Path | str) -> str:
    """A source as people write it: relative to the working folder where it lies inside."""
    path = Path(source).absolute()
    return (
        str(path.relative_to(Path.cwd()))
        if isinstance(source, Path) and path.is_relative_to(Path.cwd())
        else str(source)
    )


def _found(beside: Sequence[Path], extra: Path | None) -> Iterator[Entry | Broken]:
    seen: set[Path | str] = set()
    yield from _of_folder(shipped.folder("plugins"), "shipped", seen)
    for point in entry_points(group="ganbench"):
        outcomes = load_entry_point(point)
        keys: set[Path | str] = {outcome.sha256 for outcome in outcomes if isinstance(outcome, Entry)}
        keys.add(point.value)  # two installed copies of one distribution list the same module twice
        if not keys & seen:
            yield from outcomes
        seen |= keys
    for folder in beside:
        if folder.is_dir():
            yield from _of_folder(folder, "folder", seen)
    if extra is not None:
        if extra.exists():
            yield from _of_folder(extra, "--plugins", seen)
        else:
            yield Broken(extra, "--plugins", "no such folder")


def _of_folder(folder: Path, origin: str, seen: set[Path | str]) -> Iterator[Entry | Broken]:
    for path in _files(folder):
        try:
            source = path.read_bytes()
        except OSError as error:
            yield Broken(path, origin, f"cannot be read: {error.strerror}")
            continue
        digest = hashlib.sha256(source).hexdigest()
        if path.resolve() in seen or digest in seen:
            continue
        seen.update({path.resolve(), digest})
        yield from load_file(path, origin, source)


def _files(folder: Path) -> Iterable[Path]:
    if folder.is_file():
        return [folder]
    paths = sorted(path for path in folder.rglob("*.py") if not path.is_dir())
    return [path for path in paths if not any(part[0] in "_." for part in path.relative_to(folder).parts)]
