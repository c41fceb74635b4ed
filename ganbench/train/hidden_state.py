"""What plugins could remember from call to call: the variables of their modules, closures, classes and networks."""

from __future__ import annotations

import dis
import os
import sys
import types
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from ganbench.core.digest import digest
from ganbench.core.installed import file_of, installed, library
from ganbench.core.place import place


@dataclass(frozen=True)
class Variable:
    """A variable that is watched: its name for messages, and the last part of the name, as code has it."""

    name: str
    last: str
    of_network: bool = False


class HiddenState:
    """The variables that some functions and networks could remember something in.

    ``functions``: of plugins; functions of libraries are left out. ``networks``: networks by name; their parameters and
    buffers are watched elsewhere.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]], networks: Mapping[str, nn.Module]) -> None:
        self._networks = dict(networks)
        self._roots = [root for function in functions for root in _unwrapped(function)]
        classes = [type(part) for network in networks.values() for part in network.modules()]
        own = {root.__module__ for root in self._roots if hasattr(root, "__module__")}
        # A plugin may come with a package; a layer of another package is no plugin, and its caches are its own.
        names = own | {each.__module__ for each in classes if not installed(file_of(sys.modules.get(each.__module__)))}
        found = {name: sys.modules[name] for name in sorted(names) if name in sys.modules and not library(name)}
        self._modules = _with_imports(found)

    @property
    def modules(self) -> frozenset[str]:
        """The names of the modules that are watched."""
        return frozenset(self._modules)

    def look(self) -> dict[Variable, Hashable]:
        """A digest of each variable as it is now."""
        own = self.modules
        found = {variable: digest(value, own, tensors=False) for variable, value in self._variables()}
        return found | {Variable("os.environ", "environ"): hash(tuple(sorted(os.environ.items())))}

    def changed(self, before: Mapping[Variable, Hashable]) -> tuple[Variable, str] | None:
        """The first variable, if any, that is not as it was, and its place: `` (mine.py:12)``, or nothing."""
        now = self.look()
        first = next((each for each in now if now[each] != before.get(each)), None)
        return (first, self._place(first.last)) if first else None

    def _variables(self) -> Iterator[tuple[Variable, Any]]:
        for module in self._modules.values():
            for name, value in list(vars(module).items()):
                if name.startswith("__") or isinstance(value, types.ModuleType):
                    continue
                if isinstance(value, types.FunctionType | type):
                    if value.__module__ == module.__name__:
                        yield from _inside(value)
                else:
                    yield Variable(name, name), value
        for root in self._roots:
            yield from _inside(root)
        for player, network in self._networks.items():
            for path, part in network.named_modules():
                for name, value in list(vars(part).items()):
                    # Parts of a network are seen by themselves, parameters and buffers are watched elsewhere.
                    if name not in ("_modules", "_parameters", "_buffers"):
                        full = f"the {player}'s {'.'.join(filter(None, (path, name)))}"
                        yield Variable(full, name, of_network=True), value

    def _place(self, name: str) -> str:
        """Where code changes a variable, else where it uses it: `` (mine.py:12)``; empty where none does."""
        uses = [use for module in self._modules.values() for use in _uses(module, name)]
        uses.sort(key=lambda use: not use[0])
        return f" ({uses[0][1]})" if uses else ""


def _unwrapped(function: Any) -> Iterator[Any]:
    """A function, and what it is made of: the function that a partial or a method calls, and its object."""
    if isinstance(function, partial):
        yield from (root for part in (function.func, *function.args) for root in _unwrapped(part))
    elif isinstance(function, types.MethodType):
        yield from (function.__func__, function.__self__)
    elif isinstance(function, types.FunctionType) and function.__module__.startswith("ganbench."):
        # Such as the wrapper that clips gradients: it holds the plugin's value.
        for held in (cell.cell_contents for cell in function.__closure__ or ()):
            yield from (
                root for part in getattr(held, "__dict__", {}).values() if callable(part) for root in _unwrapped(part)
            )
    else:
        yield function


def _inside(value: Any) -> Iterator[tuple[Variable, Any]]:
    """The variables inside a function, a class or an object: closures, defaults, attributes."""
    if isinstance(value, types.FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            yield Variable(name, name), cell
        for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            yield Variable(f"a default of {value.__name__}", value.__name__), default
        for name, one in value.__dict__.items():
            yield Variable(f"{value.__name__}.{name}", name), one
    elif isinstance(value, type):
        for name, one in list(vars(value).items()):
            inner = getattr(one, "__func__", one)
            if isinstance(inner, types.FunctionType):
                yield from _inside(inner)
            elif not name.startswith("__"):
                yield Variable(f"{value.__name__}.{name}", name), one
    else:
        yield Variable(f"an object of {type(value).__name__}", type(value).__name__), value


def _with_imports(found: dict[str, types.ModuleType]) -> dict[str, types.ModuleType]:
    """The modules, and those that they import from places other than the installed libraries."""
    waiting = list(found.values())
    while waiting:
        for value in list(vars(waiting.pop()).values()):
            name = str(getattr(value, "__name__" if isinstance(value, types.ModuleType) else "__module__", ""))
            module = sys.modules.get(name)
            file = file_of(module)
            if not module or not file or name in found or library(name):
                continue
            if not installed(file) or name.partition(".")[0] in {each.partition(".")[0] for each in found}:
                found[name] = module
                waiting.append(module)
    return found


def _uses(module: types.ModuleType, name: str) -> Iterator[tuple[bool, str]]:
    """The instructions of a module's functions that name a variable: whether they store it, and where they are."""
    codes = [inner.__code__ for value in vars(module).values() for inner in _functions(value, module.__name__)]
    while codes:
        code = codes.pop(0)
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        for instruction in dis.get_instructions(code):
            if (
                instruction.argval == name
                and instruction.opname.startswith(("STORE", "LOAD"))
                and (line := instruction.positions and instruction.positions.lineno)
            ):
                yield instruction.opname.startswith("STORE"), place(code.co_filename, line)


def _functions(value: Any, module: str) -> Iterator[types.FunctionType]:
    if getattr(value, "__module__", None) != module:
        return
    for inner in vars(value).values() if isinstance(value, type) else (value,):
        inner = getattr(inner, "__func__", inner)
        if isinstance(inner, types.FunctionType):
            yield inner
