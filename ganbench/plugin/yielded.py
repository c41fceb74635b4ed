"""The values that the hooks of a plugin yield: each as an entry, or what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pluggy

from ganbench.core.errors import raise_if_stopped
from ganbench.core.messages import suggest
from ganbench.plugin import hookspecs
from ganbench.plugin.entry import Broken, Entry
from ganbench.plugin.file_error import first_line, one_line
from ganbench.plugin.kinds import KINDS, Kind
from ganbench.plugin.parameters import UnfitError
from ganbench.plugin.value_check import a, check_value

#: A hook that yields more has probably no end.
MOST_VALUES = 1000
NO_HOOK = "has no hook: mark a function such as ganbench_losses with @hookimpl"
_NO_START = "an optimizer's start(theta) returns its first state, so write start=lambda theta: () where it has none"
OR_HELPER = ", or start the file's name with '_'"
HOOKS = {kind.hook: kind for kind in KINDS.values()}


def entries_of(plugin: Any, source: Path | str, origin: str, digest: str, text: str) -> list[Entry | Broken]:
    """Ask the hooks of a plugin for their values.

    Args:
        plugin: the module, or the object, that has the hooks
        source: its file, or the name of its package
        origin: how it was found, as ``ganbench list`` shows it
        digest: the SHA-256 of its text
        text: its text

    Returns:
        An entry for each value; or, where something is wrong, each cause.
    """
    doc = first_line(inspect.getdoc(plugin) or "")
    entries: list[Entry | Broken] = []
    broken: list[Entry | Broken] = []
    names: set[tuple[str, str]] = set()
    for outcome in _yielded(plugin, source):
        if isinstance(outcome, str):
            broken.append(Broken(source, origin, outcome, text))
            continue
        kind, value = outcome
        try:
            parameters = check_value(kind, value)
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
            for answer in reversed(answers):  # a hook may be written by several functions; pluggy calls the last first
                if not hasattr(answer, "__iter__"):
                    got = a(type(answer))
                    values.append(f"{where}{caller.name} returned {got}: it should yield each {kind.value.__name__}")
                    continue
                values += ((kind, value) for value in islice(answer, MOST_VALUES + 1))
                if len(values) > MOST_VALUES:
                    values = [f"{where}{caller.name} yields more than {MOST_VALUES} values: does it end?"]
                    break
        except BaseException as error:
            raise_if_stopped(error)
            line = one_line(error, source)
            values.append(f"{line}; {_NO_START}" if "argument: 'start'" in line else line)
        yield from values


def _no_hook(plugin: Any) -> str:
    for name in HOOKS:
        if callable(getattr(plugin, name, None)):
            return f"line {_line(getattr(plugin, name))}: {name} is not marked with @hookimpl"
    return f"{NO_HOOK}{OR_HELPER}"


def _line(function: Any) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code else 0
