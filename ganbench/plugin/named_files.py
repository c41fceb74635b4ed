"""The files that a source names and that are there: what it reads, a run depends on; what it writes itself, not."""

from __future__ import annotations

import ast
import hashlib
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

#: Of what a source names as a file: the longest name, and the most bytes.
_LONGEST, _LARGEST = 200, 2**30
_LONGEST_MODE = 3
#: A word without a suffix is a name of something else, far more often than of a file; a log is written.
_NO_DATA = ("", ".py", ".log")
#: Calls that write the file that they are given, beside ``open`` with a mode that writes.
_WRITERS = frozenset(
    {
        *("save", "savez", "savez_compressed", "savetxt", "savemat", "savefig", "save_file", "save_image", "imsave"),
        *("imwrite", "tofile", "dump", "write_text", "write_bytes", "touch", "FileHandler", "RotatingFileHandler"),
        *("to_csv", "to_parquet", "to_pickle", "to_json", "to_feather", "to_hdf", "write_table", "urlretrieve"),
    }
)
#: Calls that only make a path of others.
_PATHS = frozenset({"Path", "PurePath", "join", "joinpath", "str", "fspath", "resolve", "absolute", "abspath"})
_PATHS |= {"with_name", "with_suffix", "expanduser"}


def named_files(tree: ast.Module | None, path: Path) -> dict[str, str]:
    """The SHA-256 of each file, no module, that lies beside ``path`` or in the working folder and that a source names.

    Args:
        tree: the source's syntax tree.
        path: the file beside which they lie.

    Returns:
        The digest of each by its name.
    """
    if tree is None:
        return {}
    found = {}
    written = _written(tree)
    for name in {text for text in _texts(tree, ast.walk) if text not in written and Path(text).suffix not in _NO_DATA}:
        for place in (path.parent / name, Path(name)):
            with suppress(OSError, ValueError):
                about = place.stat()
                if stat.S_ISREG(about.st_mode) and about.st_size <= _LARGEST:
                    with open(place, "rb") as file:
                        found[Path(name).name] = hashlib.file_digest(file, "sha256").hexdigest()
                    break
    return found


def _written(tree: ast.Module) -> set[str]:
    """The texts that name a file which the source writes, in the call that does or through a variable."""
    held: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                targets = [target]
            case _:
                continue
        for name in (name for target in targets for name in _names(target)):
            held.setdefault(name, set()).update(_texts(value, _path))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _writes(node):
            for part in (node.func, *node.args, *(word.value for word in node.keywords)):
                found |= _texts(part, _path)
                found |= {text for inner in _path(part) for name in _names(inner) for text in held.get(name, ())}
    return found


def _writes(call: ast.Call) -> bool:
    called = _called(call)
    if called != "open":
        return called in _WRITERS
    given = [*call.args[1 if isinstance(call.func, ast.Name) else 0 : 2], *(one.value for one in call.keywords)]
    modes = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(len(mode) <= _LONGEST_MODE and {*"wax+"} & {*mode} for mode in modes)


def _path(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that make a path, and not what another call makes of others."""
    yield node
    if not isinstance(node, ast.Call) or _called(node) in _PATHS:
        for inner in ast.iter_child_nodes(node):
            yield from _path(inner)


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Tuple(elts=inner):
            for one in inner:
                yield from _names(one)


def _texts(node: ast.AST, walk: Callable[[ast.AST], Iterator[ast.AST]]) -> set[str]:
    constants = (one.value for one in walk(node) if isinstance(one, ast.Constant))
    return {text for text in constants if isinstance(text, str) and len(text) < _LONGEST}
