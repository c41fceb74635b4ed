"""Modules beside a plugin file: ``from utils import x`` finds utils.py in the file's folder, for code there alone."""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from ganbench.core.installed import file_of, installed
from ganbench.plugin.named_files import named_files

#: Frames of Python's own import.
_IMPORTING = ("<frozen importlib", importlib.__file__)


class NeighbourFinder:
    """Finds top-level modules for code in the folders of plugins; Python's own modules go before.

    ``folders``: for each folder with a plugin file where its neighbours are looked for.
    """

    def __init__(self) -> None:
        self.folders: dict[str, list[str]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this name beside the code that imports it, as Python's import system asks for it.

        Args:
            name: the module's full name.
            path: where a package's modules are; None for a module of no package.
            target: not used.

        Returns:
            The module's spec; None where the code is in no such folder, or there is no such module.
        """
        if path is not None or name in sys.stdlib_module_names or not self.folders:
            return None
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith(_IMPORTING):
            frame = frame.f_back
        file = Path(frame.f_code.co_filename)
        places = next((self.folders[home] for home in map(str, file.parents) if home in self.folders), None)
        # An installation inside the folder, such as a virtual environment, must not find what it lacks among plugins.
        return PathFinder.find_spec(name, places) if places and not installed(str(file)) else None


_FINDER = NeighbourFinder()
#: The names of the modules that plugin files have imported from beside them.
_KNOWN: set[str] = set()


def prepare() -> None:
    """Let neighbours be found, and read anew: they may have been edited since they were imported."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    for name in _KNOWN:
        sys.modules.pop(name, None)
    _KNOWN.clear()
    importlib.invalidate_caches()


@contextmanager
def beside(path: Path, root: Path) -> Iterator[None]:
    """Let a plugin file import its neighbours, now and later, and another folder's of the same name not.

    Args:
        path: the file.
        root: the folder of plugins that it was found in.

    Yields:
        Nothing.
    """
    home = path.absolute().parent
    places = list(dict.fromkeys([str(home), str(root.absolute())]))
    # As the code of the file, and that of its neighbours, says where it is from.
    _FINDER.folders[str(path.parent)] = _FINDER.folders[str(home)] = places
    hidden: dict[str, ModuleType] = {}
    for top in {name.partition(".")[0] for name in _KNOWN}:
        own = PathFinder.find_spec(top, places)
        if own is not None and own.origin != getattr(sys.modules.get(top), "__file__", None):
            hidden |= {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == top}
    # A neighbour is executed as it is in its file: no older bytecode, and none is left behind.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loaded = {*sys.modules}
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
        inside = tuple(place + os.sep for place in places)
        for name in {*sys.modules} - loaded:
            file = file_of(sys.modules[name])
            if not name.startswith("ganbench_plugin_") and file.startswith(inside) and not installed(file):
                _KNOWN.add(name)
        sys.modules.update(hidden)


def imported(tree: ast.Module | None, path: Path, also: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """The modules that a file imports, and those import, from outside any installation; for use inside ``beside``.

    Args:
        tree: the file's syntax tree.
        path: the file.
        also: modules that were imported while it was executed, whichever way.

    Returns:
        The name of each, as ``pack/inner.py``, and the SHA-256 of its file, sorted; and so of each file beside the
        plugin or in the working folder that one of them names, but of what it writes itself.
    """
    found: dict[str, str] = {}
    named: dict[str, str] = named_files(tree, path)
    waiting: list[tuple[Iterable[str], Path]] = [(also, path), (_names(tree, "") if tree else (), path)]
    while waiting:
        names, file = waiting.pop()
        for name in names:
            if name in found or name.startswith("ganbench_plugin_"):
                continue
            module_file = _file_of(name, file)
            if module_file is None or installed(str(module_file)):
                continue
            try:
                source = module_file.read_bytes()
            except OSError:
                continue
            found[name] = hashlib.sha256(source).hexdigest()
            try:
                of = name if module_file.name == "__init__.py" else name.rpartition(".")[0]
                inner = ast.parse(source)
            except (SyntaxError, ValueError):
                continue
            waiting.append((_names(inner, of), module_file))
            named |= named_files(inner, module_file) | named_files(inner, path)
    return tuple(sorted(({f"{name.replace('.', '/')}.py": digest for name, digest in found.items()} | named).items()))


def _names(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _prefixes(alias.name)
            case ast.ImportFrom(module=module, names=names, level=level):
                home = module or ""
                if level:
                    above = package.split(".")[: len(package.split(".")) - level + 1]
                    home = ".".join([*filter(None, above), *filter(None, [module])])
                yield from _prefixes(home)
                yield from (f"{home}.{alias.name}" for alias in names)


def _prefixes(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1) if name)


def _file_of(name: str, importer: Path) -> Path | None:
    module = sys.modules.get(name)
    if module is None and "." not in name and name not in sys.stdlib_module_names:
        # Imported in a function, when that is called.
        spec = PathFinder.find_spec(name, _FINDER.folders.get(str(importer.absolute().parent), []))
        return Path(spec.origin) if spec and spec.origin else None
    file = file_of(module)
    return Path(file) if file else None
