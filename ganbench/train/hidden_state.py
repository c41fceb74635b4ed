"""What plugins could remember from call to call: the variables of their modules, closures, classes and networks."""

from __future__ import annotations

import inspect
import os
import sys
import types
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from ganbench.core.digest import digest
from ganbench.core.installed import installed, library
from ganbench.train.uses import Namespace, draws, functions, in_place, module_name, uses

#: Variables of the environment that torch sets itself, as a part of it is first used.
_OF_TORCH = ("TORCH", "PYTORCH", "TRITON")


@dataclass(frozen=True)
class Variable:
    """A variable that is watched: its name for messages, and the last part of the name, as code has it.

    ``module``: the module that it is of. ``of_network``: an attribute of a player's network; ``of_function``: the
    object whose method a plugin's function is.
    """

    name: str
    last: str
    module: str = ""
    of_network: bool = False
    of_function: bool = False


class HiddenState:
    """The variables that some functions and networks could remember something in.

    ``functions``: of plugins; functions of libraries are left out. ``networks``: networks by name; their parameters and
    buffers are watched elsewhere.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]], networks: Mapping[str, nn.Module]) -> None:
        self._networks = dict(networks)
        self._roots = [root for function in functions for root in _unwrapped(function)]
        classes = [type(part) for network in networks.values() for part in network.modules()]
        layers = [space for each in classes if (space := _namespace(each)) is not None]
        # A plugin may come with a package; a layer of another package is no plugin, and its caches are its own.
        own = [*map(_namespace, self._roots), *(space for space in layers if not installed(_file(space)))]
        self._namespaces = _with_imports([space for space in own if space is not None])

    @property
    def modules(self) -> frozenset[str]:
        """The names of the modules that are watched."""
        return frozenset(map(module_name, self._namespaces))

    def look(self, exact: bool = True, *, tensors: bool = False) -> dict[Variable, Hashable]:
        """A digest of each variable as it is now.

        ``exact``: also of the numbers that it holds on a GPU; ``tensors``: also of those that a step has left in it.
        """
        own = self.modules
        found: dict[Variable, Hashable] = {}
        for variable, value in self.variables():
            # Two modules may have variables of one name.
            found[variable] = (found.get(variable), digest(value, own, tensors=tensors, exact=exact))
        environment = tuple(item for item in sorted(os.environ.items()) if not item[0].startswith(_OF_TORCH))
        return found | {Variable("os.environ", "environ"): hash(environment)}

    def changed(
        self, before: Mapping[Variable, Hashable], exact: bool = True, *, tensors: bool = False
    ) -> tuple[Variable, Any, str] | None:
        """Look for a variable that is not as it was.

        Args:
            before: what ``look`` gave
            exact: as for that look
            tensors: as for that look

        Returns:
            The first such variable, its value, and its place: `` (mine.py:12)``, or nothing; None where there is none.
        """
        now = self.look(exact, tensors=tensors)
        first = next((each for each in now if now[each] != before.get(each)), None)
        return (first, dict(self.variables()).get(first), self.place(first.last, first.module)) if first else None

    def drawn(self, whose: str) -> str:
        """Where code draws from a library's global generator, numpy's or Python's: `` (mine.py:12)``, or nothing."""
        found = next((each for space in self._namespaces for each in draws(space, whose)), "")
        return f" ({found})" if found else ""

    def in_place(self) -> tuple[str, str]:
        """The first call by which code changes a tensor in place: its name, and `` (mine.py:12)``; empty for none."""
        code = [root.__code__ for root in self._roots if isinstance(root, types.FunctionType)]
        code += [function.__code__ for space in self._namespaces for function in functions(space)]
        name, found = next(in_place(code), ("", ""))
        return name, f" ({found})" if found else ""

    def variables(self) -> Iterator[tuple[Variable, Any]]:
        """The variables that are watched, with what they hold now; a closure's as its cell."""
        for space in self._namespaces:
            module = module_name(space)
            for name, value in list(space.items()):
                if name.startswith("__") or isinstance(value, types.ModuleType):
                    continue
                if isinstance(value, types.FunctionType | type):
                    if value.__module__ == module:
                        yield from _inside(value, module)
                else:
                    yield Variable(name, name, module), value
        for root in self._roots:
            yield from _inside(root, str(getattr(root, "__module__", "")))
        for player, network in self._networks.items():
            for path, part in network.named_modules():
                for name, value in list(vars(part).items()):
                    # Parts of a network are seen by themselves, parameters and buffers are watched elsewhere.
                    if name not in ("_modules", "_parameters", "_buffers"):
                        full = f"the {player}'s {'.'.join(filter(None, (path, name)))}"
                        yield Variable(full, name, type(part).__module__, of_network=True), value

    def place(self, name: str, module: str = "") -> str:
        """Where code changes a variable, else where it uses a name: `` (mine.py:12)``; empty where none does.

        ``module``: the variable's own; what others call so inside a function is another variable.
        """
        every = [(use, module_name(space) != module) for space in self._namespaces for use in uses(space, name)]
        found = [(not use.stored, other, use.place) for use, other in every if not (module and other and use.local)]
        return f" ({min(found, key=lambda use: use[:2])[2]})" if found else ""


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


def _inside(value: Any, module: str) -> Iterator[tuple[Variable, Any]]:
    """The variables inside a function, a class or an object: closures, defaults, attributes."""
    if isinstance(value, types.FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            yield Variable(name, name, module), cell
        for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            yield Variable(f"a default of {value.__name__}", value.__name__, module), default
        for name, one in value.__dict__.items():
            yield Variable(f"{value.__name__}.{name}", name, module), one
    elif isinstance(value, type):
        for name, one in list(vars(value).items()):
            inner = getattr(one, "__func__", one)
            if isinstance(inner, types.FunctionType):
                yield from _inside(inner, module)
            elif not name.startswith("__"):
                yield Variable(f"{value.__name__}.{name}", name, module), one
    else:
        kind = type(value).__name__
        yield Variable(f"an object of {kind}", kind, module, of_function=True), value


def _namespace(value: Any) -> Namespace | None:
    """The variables of the module that a function, a class or an object is of; None for Python's and libraries'.

    Of the very module: a file that was loaded again since has left another one under the same name.
    """
    if isinstance(value, types.ModuleType):
        return None if library(value.__name__) else vars(value)
    name = getattr(value, "__module__", None)
    if not isinstance(name, str) or library(name):
        return None
    kind = value if isinstance(value, type) else type(value)
    for one in (value,) if isinstance(value, types.FunctionType) else vars(kind).values():
        inner = one.fget if isinstance(one, property) else one
        inner = inner.__func__ if isinstance(inner, staticmethod | classmethod) else inner
        # A decorated function has the name of the module that it is of, and the variables of the decorator's.
        function = inspect.unwrap(inner) if isinstance(inner, types.FunctionType) else None
        if isinstance(function, types.FunctionType) and function.__globals__.get("__name__") == name:
            return function.__globals__
    return vars(sys.modules[name]) if name in sys.modules else None


def _file(space: Namespace) -> str:
    return str(space.get("__file__") or "")


def _with_imports(own: Sequence[Namespace]) -> list[Namespace]:
    """The modules, and those that they import from places other than the installed libraries."""
    found = {id(space): space for space in sorted(own, key=module_name)}
    waiting = [*found.values()]
    while waiting:
        for value in [*waiting.pop().values()]:
            space = _namespace(value)
            if space is None or id(space) in found or not _file(space):
                continue
            packages = {module_name(each).partition(".")[0] for each in found.values()}
            if not installed(_file(space)) or module_name(space).partition(".")[0] in packages:
                found[id(space)] = space
                waiting.append(space)
    return [*found.values()]
