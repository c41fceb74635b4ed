"""Functions of torch, numpy, Python and ganbench that a plugin file replaces for everybody: found and put back."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ganbench.core.installed import file_of, installed

_WATCHED = frozenset({"torch", "numpy", "ganbench", "random", "math", "builtins", "os", "time", "copy"})
#: The parts of torch that a step calls; the others are large, and change themselves.
_OF_TORCH = frozenset(
    "nn optim autograd distributions func linalg fft special random cuda utils functional".split()  # noqa: SIM905
)


class Watched:
    """Every name in the watched modules and their classes, as it is now."""

    def __init__(self) -> None:
        self._modules = [(module, dict(vars(module))) for module in _modules()]
        classes = {
            value
            for module, names in self._modules
            for value in names.values()
            if isinstance(value, type) and value.__module__.partition(".")[0] in _WATCHED
        }
        self._classes = [(each, dict(vars(each))) for each in classes]
        self._loaded = {name for name in sys.modules if name.startswith("torch.")}

    def put_back(self, code: frozenset[str]) -> list[str]:
        """Put back what was replaced since.

        ``code``: the files whose code has run since. What an installed library replaces by itself is left to it.
        Returns the names of what was replaced, ``torch.randn``.
        """
        code -= {"", "None"}  # a module without a file: what is no function has none either
        # torch replaces functions of its own when more of it is loaded.
        itself = any(name.startswith("torch.") and name not in self._loaded for name in [*sys.modules])
        found = []
        for owner, name, before in self._changes(code):
            new = vars(owner).get(name)
            home = str(getattr(new, "__module__", "")).partition(".")[0]
            theirs = home == "torch" and itself
            # Not so for what is made of a class of Python's, such as a partial: the file itself has made it.
            package = home not in _WATCHED | sys.stdlib_module_names and installed(file_of(sys.modules.get(home)))
            # torch's optimizers wrap their own class's step when the first of them is made.
            wrapped = getattr(new, "__wrapped__", None) is before and installed(_file(new))
            if not theirs and not package and not wrapped:
                found.append(f"{_called(owner)}.{name}")
                _put(owner, name, before)
        return found

    def _changes(self, code: frozenset[str]) -> Iterator[tuple[Any, str, Any]]:
        """Each owner, name and former value (None: there was none) of what has changed."""
        for owner, names in [*self._modules, *self._classes]:
            now = vars(owner)
            for name, before in names.items():
                new = now.get(name)
                if new is not before and (callable(before) or _of(new) in code):
                    yield owner, name, before
            if isinstance(owner, type) and len(now) != len(names):
                # A method that is new to a class can hide one that the class inherits.
                yield from ((owner, name, None) for name in [*now] if name not in names and _of(now[name]) in code)


def _modules() -> list[ModuleType]:
    found = []
    for name, module in [*sys.modules.items()]:
        parts = name.split(".")
        inner = parts[0] == "torch" and len(parts) > 1 and parts[1] not in _OF_TORCH
        hidden = any(part.startswith("_") for part in parts)
        if parts[0] in _WATCHED and not inner and not hidden and isinstance(module, ModuleType):
            found.append(module)
    return found


def _of(value: Any) -> str:
    """The file that a function was written in; empty for anything else."""
    function = inspect.unwrap(value) if callable(value) else value
    function = getattr(function, "fget", None) or getattr(function, "__func__", function)
    return _file(function)


def _file(function: Any) -> str:
    return str(getattr(getattr(function, "__code__", None), "co_filename", ""))


def _called(owner: Any) -> str:
    return f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else str(owner.__name__)


def _put(owner: Any, name: str, before: Any) -> None:
    if before is None:
        delattr(owner, name)
    else:
        setattr(owner, name, before)
