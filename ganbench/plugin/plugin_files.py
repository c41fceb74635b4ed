"""Which files of a folder may be plugins: found without opening what is no file, looked at without being executed."""

from __future__ import annotations

import ast
import os
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

from ganbench.plugin.kinds import KINDS

#: Folders of other people's code, beside those whose names begin with _ or . and virtual environments.
_FOREIGN = frozenset({"venv", "site-packages", "dist-packages", "node_modules", "build", "dist"})
#: No plugin is larger; in bytes.
_LARGEST = 4 * 2**20
_HOOK = re.compile(r"ganbench_\w+")
_CLASSES = {kind.value.__name__: kind.name for kind in KINDS.values()}


def python_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The Python files of a folder and of those in it, sorted, each with the reason why it is not to be opened.

    The folder may be a single file. A folder that cannot be read is there too, with that reason.
    """
    if not folder.is_dir():
        yield folder, unfit(folder)
        return
    unreadable: list[OSError] = []
    found: list[Path] = []
    for home, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if name[0] not in "_." and not _foreign(Path(home, name))]
        found += [Path(home, name) for name in files if name.endswith(".py") and name[0] not in "_."]
    for path in sorted(found):
        yield path, unfit(path)
    for error in unreadable:
        yield Path(error.filename), f"cannot be read: {error.strerror}"


def unfit(path: Path) -> str:
    """Why a file is not to be opened as a plugin, a pipe, a device, too large; empty where it may be."""
    try:
        about = path.stat()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(about.st_mode):
        return "is no regular file"
    return f"has {about.st_size / 2**20:.0f} MB, and no plugin has" if about.st_size > _LARGEST else ""


def _foreign(folder: Path) -> bool:
    own = (folder / "pyvenv.cfg", folder / "conda-meta")
    return folder.name in _FOREIGN or folder.name.endswith(".egg-info") or any(mark.exists() for mark in own)


def parsed(source: bytes) -> ast.Module | None:
    """The syntax tree of a source; None where it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def mentions_ganbench(source: bytes) -> bool:
    """Whether a source can have to do with ganbench at all: a research repository's files have not."""
    return b"ganbench" in source


def has_hook(tree: ast.Module) -> bool:
    """Whether a source names a hook, or the mark of one, anywhere but in its comments and documentation."""
    return any(word == "hookimpl" or word == "HookimplMarker" or _HOOK.fullmatch(word) for word in _words(tree))


def _words(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.FunctionDef(name=word):
                yield word
            case ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word) | ast.Constant(value=str(word)):
                yield word
            case ast.alias(name=name):
                yield from name.split(".")


def declared(tree: ast.Module | None) -> frozenset[tuple[str, str]]:
    """The (kind, name) of each plugin that a source makes with its name written out, as ``Loss("hinge", ...)``."""
    found = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "name")]
            if called in _CLASSES and named and isinstance(named[0], ast.Constant):
                found.add((_CLASSES[called], str(named[0].value)))
    return frozenset(found)
