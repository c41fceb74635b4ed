"""Modules beside a plugin file: ``from utils import x`` finds utils.py in the file's folder, for code there alone."""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

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
        if name in sys.stdlib_module_names or not self.folders:
            return None
        if path is not None:
            known = [place + os.sep for places in self.folders.values() for place in places]
            inside = [[place for place in known if f"{each}{os.sep}".startswith(place)] for each in path]
            nearest = [max(places, key=len, default="") for places in inside]
            return _spec(name, path, nearest) if all(nearest) else None
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith(_IMPORTING):
            frame = frame.f_back
        file = Path(frame.f_code.co_filename)
        places = next((self.folders[home] for home in map(str, file.parents) if home in self.folders), None)
        return _spec(name, places, places) if places and not _other(str(file), places) else None


class NeighbourLoader(SourceFileLoader):
    """Executes a module as it is in its file, and its draws as a plugin file's own: they do not depend on who asks."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file: Python's own cache of bytecode can be older, and would be written beside it."""
        source = self.get_data(self.path)
        _KNOWN[fullname, self.path] = hashlib.sha256(source).hexdigest()
        return compile(source, self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the file. Raises ImportError where it draws random numbers that no seed decides."""
        if not _LOADING:
            super().exec_module(module)
            return
        from ganbench.core.unseeded import UNSEEDED, seeded  # late: it imports torch, which takes seconds

        with seeded(module.__name__) as unseeded:
            super().exec_module(module)
        if "random" in unseeded:
            raise ImportError(f"{unseeded['random']} {UNSEEDED}")


def _spec(name: str, path: Sequence[str], places: Sequence[str]) -> ModuleSpec | None:
    """The spec of a module in ``path``, which is within these folders of plugins."""
    spec = PathFinder.find_spec(name, path)
    if spec is not None and type(spec.loader) is SourceFileLoader and not _other(spec.loader.path, places):
        spec.loader = NeighbourLoader(name, spec.loader.path)
    return spec


def _other(file: str, places: Sequence[str]) -> bool:
    """Whether a file is of an installation inside these folders, such as a virtual environment, and no plugin's code.

    Such code must not find what it lacks among plugins. Where the folders are installed, as those of shipped suites
    are, what is in them is plugins' code.
    """
    return installed(file) and not all(map(installed, places))


_FINDER = NeighbourFinder()
#: The modules that were imported from beside plugin files, by name and file, with the SHA-256 of what was executed.
_KNOWN: dict[tuple[str, str], str] = {}
#: What a plugin file, by its path and content, imported when that was not loaded yet.
_IMPORTED: dict[tuple[Path, bytes], set[str]] = {}
#: The plugin files that are being executed.
_LOADING: list[Path] = []


def prepare() -> None:
    """Let neighbours be found, and read anew where one was edited since it was imported: others may have its values."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if any(_digest(file) != digest for (_, file), digest in _KNOWN.items()):
        forget({name for name, _ in _KNOWN})
    importlib.invalidate_caches()


def forget(names: Set[str]) -> None:
    """Let these neighbours be executed again by who imports them next."""
    for name, file in [*_KNOWN]:
        if name in names:
            sys.modules.pop(name, None)
            del _KNOWN[name, file]
    for imported in _IMPORTED.values():
        imported -= names


def loaded_with(path: Path, source: bytes, names: Set[str]) -> Set[str]:
    """The user's modules that a plugin file has imported, whichever way: these, and those that are loaded since before.

    Args:
        path: the file
        source: its content
        names: the modules that were loaded while it was executed

    Returns:
        Their names.
    """
    known = _IMPORTED.setdefault((path.absolute(), source), set())
    known |= {name for name in names if (file := file_of(sys.modules.get(name))) and _digested(file)}
    return known


def files() -> set[str]:
    """The files of the neighbours that were executed."""
    return {file for _, file in _KNOWN}


def _digested(file: str) -> bool:
    """Whether a module is the user's own, or was found beside a plugin: no version of an installation stands for it."""
    return not installed(file) or file in files()


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


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
    for top in {name.partition(".")[0] for name, _ in _KNOWN}:
        own = PathFinder.find_spec(top, places)
        if own is not None and own.origin != getattr(sys.modules.get(top), "__file__", None):
            hidden |= {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == top}
    _LOADING.append(path)
    try:
        yield
    finally:
        _LOADING.pop()
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
            if module_file is None or not _digested(str(module_file)):
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
