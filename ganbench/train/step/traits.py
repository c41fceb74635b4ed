"""What a network is besides its parameters and buffers: the numbers and the words that its code reads.

They stand in attributes of its modules, in closures, default values and globals, and are the same for all seeds that
train together, since all of them run the code of one network.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Set
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, NoneType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganbench.core.digest import digest, random_state
from ganbench.core.installed import foreign
from ganbench.core.place import file_name, place

#: A list of more numbers than this is one trait.
MANY = 64
#: What stands between what a trait is and the hash of its numbers.
HASH = " #"
#: What torch keeps in a module: of recurrent layers also a list of their parameters, which it keeps up to date.
_INTERNAL = frozenset(vars(nn.Module())) - {"training"} | {"_flat_weights", "_flat_weight_refs"}
#: What says what it is.
_NAMES = (str, bytes, bool, int, float, complex, np.generic, NoneType, Enum, type, torch.dtype, torch.device, Path)
_RECORDS = (SimpleNamespace, argparse.Namespace)
#: Code with these reads attributes whose names do not stand in it.
_ANY_NAME = {"getattr", "vars", "__dict__", "attrgetter"}


@dataclasses.dataclass(frozen=True)
class Trait:
    """A number or a word that code reads.

    ``text``: the value, so that equal values have equal texts. ``kind``: ``number`` or ``word``; ``shape``, of a
    parameter or a buffer; ``layer``, a parameter of a layer that its network does not know of. ``owner``: the class or
    the function that it belongs to; ``name``: what the code calls it.
    """

    text: str
    kind: str
    owner: Any
    name: str

    @property
    def place(self) -> str:
        """File and line where a plugin's code sets it, ``mine.py:14``; empty where that is not known."""
        if self.owner is None or foreign(self.owner.__module__):
            return ""
        try:
            lines, first = inspect.getsourcelines(self.owner)
            file = inspect.getsourcefile(self.owner) or ""
        except (OSError, TypeError):
            return ""
        marks = (f"self.{self.name} =", f"self.{self.name}:", f"{self.name} =")
        found = (at for mark in marks for at, line in enumerate(lines) if mark in line)
        return place(file, first + next(found, 0))


def traits(roots: Mapping[str, Any]) -> dict[str, Trait]:
    """All traits of some modules and functions.

    Args:
        roots: modules, functions and values, by the names that the paths of their traits begin with

    Returns:
        The traits by their paths, ``generator.body.2.scale``, in the order in which they were found. Attributes of a
        plugin's own modules that no code names, such as the time when a module was built, are left out.
    """
    walk = _Walk([root for root in roots.values() if isinstance(root, nn.Module)])
    for name, root in roots.items():
        walk.value(name, root, _Owner(None, name))
    every = not walk.names.isdisjoint(_ANY_NAME)
    return {
        path: trait
        for path, trait in walk.found.items()
        if every or trait.name in walk.names or not _is_plugins_module(trait.owner)
    }


def _is_plugins_module(owner: Any) -> bool:
    return isinstance(owner, type) and issubclass(owner, nn.Module) and not foreign(owner.__module__)


@dataclasses.dataclass(frozen=True)
class _Owner:
    owner: Any
    name: str


class _Walk:
    def __init__(self, networks: Iterable[nn.Module]) -> None:
        self.found: dict[str, Trait] = {}
        #: The modules and tensors that torch knows of: each seed has its own, and only their shapes must be the same.
        self._registered = {
            key: at
            for at, key in enumerate(
                id(one) for root in networks for own in (root.modules, root.parameters, root.buffers) for one in own()
            )
        }
        #: All names of globals and attributes in the code that was seen.
        self.names: set[str] = set()
        #: What was seen, which must stay alive: a number of an object that is gone may be another's.
        self._seen: dict[int, Any] = {}

    def value(self, path: str, value: Any, of: _Owner) -> None:
        """Add the traits of a value of any type."""
        # A list of parameters, as torch's recurrent layers have one, need not be old: the trace of a step finds out.
        if isinstance(value, Tensor) and id(value) in self._registered:
            return
        if type(value) is int and value in self._registered:
            self._add(path, f"the number of the object {self._registered[value]}", "word", of)
        elif number := _number(value):
            self._add(path, number, "number", of)
        elif isinstance(value, str | bytes | torch.dtype | torch.device | Path):
            self._add(path, repr(value), "word", of)
        elif id(value) not in self._seen:
            self._seen[id(value)] = value
            self._inner(path, value, of)

    def _inner(self, path: str, value: Any, of: _Owner) -> None:
        if isinstance(value, nn.Module):
            self._module(path, value, of)
        elif isinstance(value, functools.partial):
            self._items(path, {"func": value.func, "args": value.args, "keywords": value.keywords}, of)
        elif isinstance(value, MethodType):
            self.value(path, value.__self__, of)
            self._function(path, value.__func__, type(value.__self__))
        elif isinstance(value, FunctionType | BuiltinFunctionType):
            self._add(path, f"{value.__module__}.{value.__qualname__}", "word", of)
            self._function(path, value, None)
        elif isinstance(value, Mapping):
            self._add(path, str(len(value)), "word", of)
            for at, (key, item) in enumerate(value.items()):
                if self._is_name(key):
                    self.value(f"{path}[{key!r}]", item, of)
                    continue
                # Another object for each seed: its place says which it is.
                self.value(f"{path}[#{at}]", item, of)
                if type(key) is not int:
                    self.value(f"{path}[#{at}], the key", key, of)
        elif isinstance(value, list | tuple | Set):
            self._add(path, str(len(value)), "word", of)
            for at, item in enumerate(sorted(value, key=self._order) if isinstance(value, Set) else value):
                self.value(f"{path}[{at}]", item, of)
        elif isinstance(value, _RECORDS) or not (
            isinstance(value, type | ModuleType) or foreign(type(value).__module__)
        ):
            self._add(path, type(value).__qualname__, "word", of)
            self._items(path, _fields(value), of)

    def _is_name(self, key: Any) -> bool:
        """Whether a key says what it is: no object, and no number that Python gives an object, as id() says it."""
        if isinstance(key, tuple):
            return all(map(self._is_name, key))
        return isinstance(key, _NAMES) and not (type(key) is int and (key in self._registered or key in self._seen))

    def _order(self, item: Any) -> tuple[str, int, str]:
        """What the items of a set are sorted by: not by their addresses, which are others for each seed."""
        kind = type(item).__qualname__
        at = self._registered.get(item if type(item) is int else id(item))
        if at is not None:
            return kind, at, ""
        return kind, -1, repr(item) if self._is_name(item) else repr(digest(item, {type(item).__module__}))

    def _items(self, path: str, fields: Mapping[str, Any], of: _Owner) -> None:
        for name, item in fields.items():
            self.value(f"{path}.{name}", item, of)

    def _module(self, path: str, module: nn.Module, of: _Owner) -> None:
        cls = type(module)
        self._add(path, cls.__qualname__, "word", of)
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is None or id(module) in self._registered:
                text = "missing" if tensor is None else str(tuple(tensor.shape))
                self._add(f"{path}.{name}", text, "shape", _Owner(cls, name))
            else:
                self._add(f"{path}.{name}", _number(tensor), "layer", of)
        for name, child in module._modules.items():
            self.value(f"{path}.{name}", child, _Owner(cls, name))
        self._function(path, cls.forward, cls)
        for name, item in vars(module).items():
            if name not in _INTERNAL:
                self.value(f"{path}.{name}", item, _Owner(cls, name))
            elif "hook" in name and isinstance(item, Mapping):
                # Their keys are numbers that torch counts on for the whole process.
                for at, hook in enumerate(item.values()):
                    self.value(f"{path}.{name}[{at}]", hook, _Owner(cls, name))

    def _function(self, path: str, function: Any, cls: type | None) -> None:
        """Add what a function reads besides its arguments, and what all that it calls reads."""
        code = getattr(function, "__code__", None)
        if code is None or foreign(function.__module__ or ""):
            return
        self._seen[id(function)] = function
        self._add(f"{path}.{function.__qualname__}", f"line {code.co_firstlineno}", "word", _Owner(function, ""))
        names = set(_names(code))
        self.names |= names
        for name, value in _captured(function).items():
            self.value(f"{path}: {name}", value, _Owner(function, name))
        file = file_name(code.co_filename)
        for name in sorted(names & function.__globals__.keys()):
            self._global(f"{file}: {name}", function.__globals__[name], names, _Owner(function, name))
        # Methods and class attributes of the module's own.
        for name in sorted(names):
            self._of_class(cls, name)

    def _global(self, path: str, value: Any, names: set[str], of: _Owner) -> None:
        if isinstance(value, type | ModuleType):
            if not foreign(value.__name__ if isinstance(value, ModuleType) else value.__module__):
                for name in sorted(names & vars(value).keys()):
                    if not isinstance(vars(value)[name], type | ModuleType):
                        self.value(f"{path}.{name}", vars(value)[name], dataclasses.replace(of, name=name))
        else:
            self.value(path, value, of)

    def _of_class(self, cls: type | None, name: str) -> None:
        base = next((base for base in getattr(cls, "__mro__", ()) if name in vars(base)), None)
        if base is None or foreign(base.__module__):
            return
        value = vars(base)[name]
        value = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        if not isinstance(value, FunctionType):
            self.value(f"{base.__qualname__}.{name}", value, _Owner(base, name))
        elif id(value) not in self._seen:
            self._function(base.__qualname__, value, cls)

    def _add(self, path: str, text: str, kind: str, of: _Owner) -> None:
        self.found.setdefault(path, Trait(text, kind, of.owner, of.name))


def _number(value: Any) -> str:
    """A number, or many of them, as a text; empty for anything else."""
    if value is None or isinstance(value, bool | int | float | complex | np.generic):
        return repr(value)
    if isinstance(value, Tensor):
        plain = value.detach().cpu().contiguous().reshape(-1)
        if plain.numel() == 1:
            return repr(plain.item())
        return f"a tensor {tuple(value.shape)}{_digest(plain.view(torch.uint8).numpy().tobytes())}"
    if isinstance(value, np.ndarray):
        return f"an array {value.shape}{_digest(repr(value.tolist()).encode())}"
    if (state := random_state(value)) is not None:
        return f"a random generator{_digest(repr(state).encode())}"
    if isinstance(value, list | tuple) and len(value) > MANY and all(type(one) in (int, float, bool) for one in value):
        return f"{len(value)} numbers{_digest(repr(value).encode())}"
    return ""


def _digest(content: bytes) -> str:
    return HASH + hashlib.sha256(content).hexdigest()


def _fields(value: Any) -> dict[str, Any]:
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    return {name: getattr(value, name) for name in slots if hasattr(value, name)} | getattr(value, "__dict__", {})


def _names(code: CodeType) -> Iterator[str]:
    """The names of globals and attributes in code, and in functions defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _captured(function: FunctionType) -> dict[str, Any]:
    """The variables of enclosing functions that a function uses, and its default values."""
    found: dict[str, Any] = dict(function.__kwdefaults__ or {})
    arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
    found |= dict(zip(reversed(arguments), reversed(function.__defaults__ or ()), strict=False))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        # A variable that has no value yet is an empty cell; super() needs the class.
        with contextlib.suppress(ValueError):
            if name != "__class__":
                found[name] = cell.cell_contents
    return found
