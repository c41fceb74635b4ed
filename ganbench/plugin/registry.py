"""The registry: every plugin that can be found, each loaded alone, by kind and name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from ganbench.core.controls import on_one_line
from ganbench.core.messages import suggest
from ganbench.core.streams import aside
from ganbench.plugin import shipped
from ganbench.plugin.entry import Broken, Entry, NoPlugin
from ganbench.plugin.guest import Host, hosted
from ganbench.plugin.loader import load_entry_point, load_file, load_guest, looked_at
from ganbench.plugin.plugin_files import python_files
from ganbench.plugin.types import Value
from ganbench.plugin.unknown import cure

#: So many broken files are named where any of them may be the one that is looked for.
_NAMED = 3
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
    #: The files that were looked at and not executed.
    passed_over: tuple[NoPlugin, ...] = ()

    @classmethod
    def load(cls, beside: Sequence[Path] = (), extra: Path | None = None) -> Registry:
        """Find and load plugins: shipped, installed packages, the folders ``beside`` that exist, then ``extra``.

        A file, or content, that was loaded before is skipped. Nothing is raised: broken plugins are listed.
        """
        sources = shipped_sources()
        return cls._of([*load_shipped(sources), *_guests(beside, extra, sources)])

    @classmethod
    def guests(cls, beside: Sequence[Path] = (), extra: Path | None = None) -> Registry:
        """As ``load``, of whatever is not shipped: no shipped plugin is executed, which would wait for torch."""
        return cls._of([*_guests(beside, extra, shipped_sources())])

    @classmethod
    def _of(cls, found: Sequence[Entry | Broken]) -> Registry:
        return cls(
            tuple(each for each in found if isinstance(each, Entry)),
            tuple(each for each in found if isinstance(each, Broken) and not isinstance(each, NoPlugin)),
            tuple(each for each in found if isinstance(each, NoPlugin)),
        )

    def names(self, kind: str) -> list[str]:
        """The names of a kind's plugins, sorted."""
        return sorted({entry.name for entry in self.entries if entry.kind == kind})

    def get(self, kind: str, name: str) -> Entry:
        """The plugin of this kind and name; raises UnknownNameError where there is none, or more than one."""
        found = [entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)]
        meant = [broken for broken in self.broken if (kind, name) in broken.declared]
        if len(found) == 1 and not meant:
            return found[0]
        if len(found) > 1:
            raise UnknownNameError(kind, name, clash(kind, name, [entry.source for entry in found]))
        if found:
            why = f"{kind} {name!r} is in {display(found[0].source)}, and another is in a file that fails"
            raise UnknownNameError(kind, name, f"{why}{self._suspects(meant)}: mend or remove it")
        suspects = meant or [broken for broken in (*self.broken, *self.passed_over) if broken.defines(name)]
        near = "" if suspects else cure(kind, name, self.entries) or suggest(name, self.names(kind))
        # A name may be made up while the file runs: then any broken file may be the one.
        raise UnknownNameError(
            kind, name, f"unknown {kind} {name!r}{near}{self._suspects(suspects or self.broken[:_NAMED])}"
        )

    @staticmethod
    def _suspects(broken: Iterable[Broken]) -> str:
        return "".join(f" ({display(each.source)} could not be loaded: {each.cause})" for each in broken)

    def value(self, kind: type[V], name: str) -> V:
        """The plugin value of this class and name, ``registry.value(Loss, "hinge")``; raises as ``get``."""
        value = self.get(kind.__name__.lower(), name).value
        assert isinstance(value, kind)
        return value


def clash(kind: str, name: str, sources: Iterable[Path | str]) -> str:
    """What is wrong with plugins that share a name.

    Args:
        kind: their kind.
        name: their name.
        sources: where each is defined.

    Returns:
        The cause, in one line.
    """
    return f"{kind} {name!r} is defined by {' and '.join(map(display, sources))}: rename or remove all but one"


def display(source: Path | str) -> str:
    """A source as people write it: relative to the working folder where it lies inside."""
    path = Path(source).absolute()
    inside = isinstance(source, Path) and path.is_relative_to(Path.cwd())
    return on_one_line(str(path.relative_to(Path.cwd()) if inside else source))


def shipped_sources() -> dict[Path, bytes]:
    """The content of each shipped plugin file."""
    return {path: path.read_bytes() for path, reason in python_files(shipped.folder("plugins")) if not reason}


def load_shipped(sources: Mapping[Path, bytes]) -> Iterator[Entry | Broken]:
    """Load shipped plugin files, which are not read again."""
    # What a plugin prints while it is loaded must not be part of a command's output.
    with aside():
        for path, source in sources.items():
            yield from load_file(path, "shipped", source)


def _guests(beside: Sequence[Path], extra: Path | None, sources: Mapping[Path, bytes]) -> Iterator[Entry | Broken]:
    """What is not shipped; ``sources``: what is, since the same content elsewhere is no second plugin."""
    seen: set[Path | str] = set()
    for path, source in sources.items():
        seen |= {path.resolve(), hashlib.sha256(source).hexdigest()}
    folders = [(folder, "folder") for folder in beside if folder.is_dir()]
    folders += [] if extra is None else [(extra, "--plugins")]
    with hosted() as host:
        for point in entry_points(group="ganbench"):
            outcomes = load_entry_point(point, host)
            keys: set[Path | str] = {outcome.sha256 for outcome in outcomes if isinstance(outcome, Entry)}
            keys.add(point.value)  # two installed copies of one distribution list the same module twice
            if not keys & seen:
                yield from outcomes
            seen |= keys
        for folder, origin in folders:
            if folder.exists():
                yield from _of_folder(folder, origin, seen, host)
            else:
                yield Broken(folder, origin, "no such folder")


def _of_folder(folder: Path, origin: str, seen: set[Path | str], host: Host) -> Iterator[Entry | Broken]:
    root = folder if folder.is_dir() else folder.parent
    for path, reason in python_files(folder):
        source = NoPlugin(path, origin, reason) if reason else looked_at(path, origin)
        if isinstance(source, Broken):
            yield source
            continue
        digest = hashlib.sha256(source).hexdigest()
        if path.resolve() in seen or digest in seen:
            continue
        seen.update({path.resolve(), digest})
        yield from load_guest(path, origin, source, root=root, host=host)
