"""Loads one plugin, a file or an installed module, alone, so that a broken one does not affect the others."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from itertools import islice
from pathlib import Path
from typing import Any

import pluggy

from ganbench.core.errors import message_of, raise_if_stopped
from ganbench.core.exits import ExitRefusedError
from ganbench.core.messages import shown, suggest
from ganbench.core.names import lost_in_tables
from ganbench.plugin import hookspecs
from ganbench.plugin.binding import bind
from ganbench.plugin.column import Column, check_columns, find
from ganbench.plugin.entry import Broken, Entry, NoPlugin
from ganbench.plugin.guest import Host, hosted
from ganbench.plugin.kinds import CELL_NAMES, KINDS, Kind
from ganbench.plugin.neighbours import imported, loaded_with
from ganbench.plugin.parameters import Parameter, UnfitError, check_named, read_parameters
from ganbench.plugin.plugin_files import declared, has_hook, mentions_ganbench, parsed, unfit
from ganbench.plugin.role import OF_CELL
from ganbench.plugin.types import Metric, Penalty, Value

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
#: A hook that yields more has probably no end.
MOST_VALUES = 1000
NO_HOOK = "has no hook: mark a function such as ganbench_losses with @hookimpl"
_CURES = {"attempted relative import with no known parent package": ": write 'from x import y', without the dot"}
_OR_HELPER = ", or start the file's name with '_'"
HOOKS = {kind.hook: kind for kind in KINDS.values()}


def load_file(path: Path, origin: str, source: bytes) -> list[Entry | Broken]:
    """Load a plugin file.

    Args:
        path: the file, which is not read again.
        origin: how it was found, as ``ganbench list`` shows it.
        source: the file's content.

    Returns:
        Its entries, or, where something is wrong with it, each cause as a ``Broken``.
    """
    text = source.decode("utf-8", "replace")
    identity = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    # Errors are never placed in a shipped file where a user's one is at fault.
    kind = "ganbench_plugin_shipped" if origin == "shipped" else "ganbench_plugin"
    module_name = f"{kind}_{identity}_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None:
        return [Broken(path, origin, "is no Python file", text)]
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look their module up here while it runs. The bytes that run are the bytes that are
    # hashed: Python's own cache of bytecode can be older, and would be written into the user's folder.
    sys.modules[module_name] = module
    from ganbench.core.unseeded import UNSEEDED, seeded  # late: it imports torch, which takes seconds

    try:
        with seeded("" if origin == "shipped" else module_name) as unseeded:
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        raise_if_stopped(error)
        del sys.modules[module_name]
        return [Broken(path, origin, one_line(error, path), text)]
    if "random" in unseeded:
        return [Broken(path, origin, f"line {unseeded['random'].rpartition(':')[2]}: {UNSEEDED}", text)]
    return _values(module, path, origin, hashlib.sha256(source).hexdigest(), text)


def looked_at(path: Path, origin: str) -> bytes | Broken:
    """The content of a file, or why it is not opened or cannot be read."""
    if reason := unfit(path):
        return NoPlugin(path, origin, reason)
    try:
        return path.read_bytes()
    except OSError as error:
        return Broken(path, origin, f"cannot be read: {error.strerror}")


def load_named(path: Path, origin: str) -> list[Entry | Broken]:
    """Load a file that the user names, as ``load_guest`` does; ``origin``: as ``ganbench list`` shows it."""
    source = looked_at(path, origin)
    if isinstance(source, Broken):
        return [source]
    if parsed(source) is None:
        return load_file(path, origin, source)  # which says where it is no Python
    with hosted() as host:
        return load_guest(path, origin, source, root=path.parent, host=host)


def load_guest(path: Path, origin: str, source: bytes, *, root: Path, host: Host) -> list[Entry | Broken]:
    """Look at a file that is not ganbench's own, and load it if it is a plugin; the process is as before afterwards.

    Args:
        path: the file, which is not read again.
        origin: how it was found, as ``ganbench list`` shows it.
        source: the file's content.
        root: the folder of plugins that it was found in: its neighbours are there, too.
        host: where it is executed.

    Returns:
        Its entries, or each cause why it has none; a ``NoPlugin`` where it was not executed.
    """
    text = source.decode("utf-8", "replace")
    if not mentions_ganbench(source):
        return [NoPlugin(path, origin, f"was not executed: it {NO_HOOK}", text)]
    tree = parsed(source)
    if tree is not None and not has_hook(tree):
        return [Broken(path, origin, f"{NO_HOOK}{_OR_HELPER}", text)]
    before = {*sys.modules}
    with host.guest(path, root) as changes:
        outcomes = load_file(path, origin, source)
        uses = imported(tree, path, loaded_with(path, source, {*sys.modules} - before))
    entries = [replace(each, uses=uses) for each in outcomes if isinstance(each, Entry)]
    broken = [replace(each, declared=declared(tree)) for each in outcomes if isinstance(each, Broken)]
    if changes and not broken:
        sign, message = changes[0]
        at = next((f"line {at}: " for at, line in enumerate(text.splitlines(), 1) if re.search(sign, line)), "")
        broken = [Broken(path, origin, f"{at}{message}", text, declared(tree))]
    return [*broken] or [*entries]


def load_entry_point(point: EntryPoint, host: Host) -> list[Entry | Broken]:
    """Load an entry point of an installed package: its entries, or each cause why it is broken."""
    package = point.dist.name if point.dist else point.name
    origin = f"package {package}"
    with host.guest(None, None) as changes:
        try:
            plugin = point.load()
        except BaseException as error:
            raise_if_stopped(error)
            return [Broken(package, origin, f"{point.value}: {one_line(error, None)}", point.value)]
        outcomes = _of_package(plugin, point, package, origin)
    return [Broken(package, origin, f"{point.value}: {changes[0].message}", point.value)] if changes else outcomes


def _of_package(plugin: Any, point: EntryPoint, package: str, origin: str) -> list[Entry | Broken]:
    file = getattr(plugin, "__file__", None)
    source = Path(file).read_bytes() if file else point.value.encode()
    digest, text = hashlib.sha256(source).hexdigest(), source.decode("utf-8", "replace")
    uses = imported(parsed(source), Path(file)) if file else ()
    outcomes = _values(plugin, Path(file) if file else package, origin, digest, text)
    return [replace(each, uses=uses) if isinstance(each, Entry) else each for each in outcomes]


def one_line(error: BaseException, path: Path | str | None) -> str:
    """An exception as one line: the last line of ``path`` in its traceback, its type and its message."""
    if isinstance(error, SyntaxError):
        return (f"line {error.lineno}: " if error.lineno else "") + f"syntax error: {_first_line(error.msg)}"
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {frames[-1]}: " if frames else ""
    cure = next((cure for part, cure in _CURES.items() if part in message_of(error)), "")
    if isinstance(error, SystemExit) and not isinstance(error, ExitRefusedError):
        cure = ": put what a script does below if __name__ == '__main__':"
    return f"{where}{type(error).__name__}: {_first_line(message_of(error))}".rstrip(": ") + cure


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _values(plugin: Any, source: Path | str, origin: str, digest: str, text: str) -> list[Entry | Broken]:
    doc = _first_line(inspect.getdoc(plugin) or "")
    entries: list[Entry | Broken] = []
    broken: list[Entry | Broken] = []
    names: set[tuple[str, str]] = set()
    for outcome in _yielded(plugin, source):
        if isinstance(outcome, str):
            broken.append(Broken(source, origin, outcome, text))
            continue
        kind, value = outcome
        try:
            parameters = _check(kind, value)
            if (kind.name, value.name) in names:
                raise UnfitError(f"{kind.hook} yields {value.name!r} twice")
        except UnfitError as problem:
            broken.append(Broken(source, origin, str(problem), text))
            continue
        except BaseException as error:  # of a property, a signature or an annotation of the plugin's own
            raise_if_stopped(error)
            broken.append(Broken(source, origin, one_line(error, source), text))
            continue
        names.add((kind.name, value.name))
        entries.append(Entry(kind.name, value.name, value, source, origin, doc, digest, parameters))
    return broken or entries


def _yielded(plugin: Any, source: Path | str) -> Iterator[tuple[Kind, Any] | str]:
    """Each value that the plugin's hooks yield, with its kind; or, as text, what is wrong with a hook."""
    # Each plugin has its own manager: if one hook raises, pluggy loses the results of all plugins.
    manager = pluggy.PluginManager("ganbench")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        yield str(error).strip().splitlines()[-1]
        return
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        yield _no_hook(plugin)
    for caller in sorted(callers, key=lambda caller: _line(caller.get_hookimpls()[0].function)):
        where = f"line {_line(caller.get_hookimpls()[0].function)}: "
        if caller.name not in HOOKS:
            yield f"{where}{caller.name} is not a hook{suggest(caller.name, HOOKS)}"
            continue
        kind = HOOKS[caller.name]
        values: list[tuple[Kind, Any] | str] = []
        try:
            answers = caller()
            if not answers:
                values.append(f"{where}{caller.name} returned nothing: it should yield each {kind.value.__name__}")
            elif not hasattr(answers[0], "__iter__"):
                got = _a(type(answers[0]))
                values.append(f"{where}{caller.name} returned {got}: it should yield each {kind.value.__name__}")
            else:
                values += ((kind, value) for value in islice(answers[0], MOST_VALUES + 1))
                if len(values) > MOST_VALUES:
                    values = [f"{where}{caller.name} yields more than {MOST_VALUES} values: does it end?"]
        except BaseException as error:
            raise_if_stopped(error)
            values.append(one_line(error, source))
        yield from values


def _no_hook(plugin: Any) -> str:
    for name in HOOKS:
        if callable(getattr(plugin, name, None)):
            return f"line {_line(getattr(plugin, name))}: {name} is not marked with @hookimpl"
    return f"{NO_HOOK}{_OR_HELPER}"


def _line(function: Any) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code else 0


def _a(thing: type) -> str:
    return f"{'an' if thing.__name__[:1].lower() in 'aeiou' else 'a'} {thing.__name__}"


def _check(kind: Kind, value: Any) -> tuple[Parameter, ...]:
    """The parameters of a value that a hook yielded; raises UnfitError where the value is not a valid plugin."""
    if not isinstance(value, Value) or not isinstance(value, kind.value):
        raise UnfitError(f"{kind.hook} yields {_a(type(value))}, not {_a(kind.value)}")
    if not isinstance(value.name, str) or not NAME.fullmatch(value.name):
        raise UnfitError(
            f"the {kind.name}'s name {shown(value.name)} is not letters, digits and . _ + - (a letter or digit first)"
        )
    if lost := lost_in_tables(value.name):
        raise UnfitError(f"the {kind.name}'s name {lost}")
    if not isinstance(value.aliases, tuple) or not all(isinstance(alias, str) for alias in value.aliases):
        raise UnfitError(f"{kind.name} {value.name!r}: aliases must be a tuple of names, not {shown(value.aliases)}")
    if isinstance(value, Metric):
        columns = value.columns
        if not isinstance(columns, tuple) or not columns or not all(isinstance(column, Column) for column in columns):
            raise UnfitError(f"metric {value.name!r}: columns must be a tuple of Column")
        for column in columns:
            if not isinstance(column.name, str) or (lost := lost_in_tables(column.name)):
                why = f"{column.name!r} is no text" if not isinstance(column.name, str) else lost
                raise UnfitError(f"metric {value.name!r}: the column {why}")
        try:
            check_columns(columns)
        except ValueError as error:
            raise UnfitError(f"metric {value.name!r}: {error}") from None
    if isinstance(value, Penalty) and not (value.discriminator or value.generator or value.inputs):
        raise UnfitError(f"penalty {value.name!r} does nothing: give it discriminator, generator or inputs")
    if isinstance(value, Penalty) and bool(value.memory) != bool(value.remember):
        raise UnfitError(f"penalty {value.name!r}: memory and remember go together")
    parameters = read_parameters(kind, value)
    check_named(kind, value, parameters)
    if isinstance(value, Metric):
        asked = {*bind(value.measure, {}).names}
        if (of_cell := sorted(asked & CELL_NAMES)) and asked - CELL_NAMES:
            raise UnfitError(f"metric {value.name!r}: {of_cell[0]!r} belongs to the cell, not to a seed: name it alone")
        for column in value.columns:
            if column.role == "covered" and find(value.columns, "total", column.name) is None:
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} counts the modes covered: "
                    f"add a column of the role 'total' for it, or no verdict can use it"
                )
            if column.role in OF_CELL and not of_cell:
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} is a {column.role}, which is of the cell: "
                    f"measure must name {' or '.join(sorted(CELL_NAMES))}"
                )
            if of_cell and column.role == "value" and column.better != "neither":
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} is of the cell and has a better side: "
                    f"say role='count' or role='clock', or nothing will compare it"
                )
    return parameters
