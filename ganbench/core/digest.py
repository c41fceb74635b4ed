"""A digest of any value, by its content: equal digests mean that nothing in it has changed."""

from __future__ import annotations

import functools
import pickle
import random
import types
import warnings
import zlib
from collections import deque
from collections.abc import Hashable, Iterable
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Of larger arrays, and of longer lists, only so many bytes and items are looked at, evenly spread.
BYTES = 2**24
ITEMS = 1000
#: The modules of classes, beside those of plugins, whose instances are looked into.
_TORCHS = ("torch.nn.", "torch.optim.", "torch.amp.")
_KNOWN = ("queue", "types", "argparse", "collections", "functools", "threading", "_thread")
_ADDRESSLESS = ("datetime", "decimal", "fractions", "pathlib", "enum")


def digest(value: Any, own: Iterable[str] = (), *, tensors: bool = True, exact: bool = True) -> Hashable:
    """Digest a value by its content.

    Values of unknown classes count as one, so that a digest never differs without reason.

    Args:
        value: any value
        own: the names of the modules whose functions, classes and instances are looked into
        tensors: whether the numbers of networks' parameters are looked at; else how often they were written
        exact: whether the numbers of tensors on a GPU are looked at, which may be rounded otherwise each time

    Returns:
        The digest, which is equal to that of a value with the same content.
    """
    return _Digest(frozenset(own), tensors, exact).of(value)


class _Digest:
    def __init__(self, own: frozenset[str], tensors: bool, exact: bool) -> None:
        self._own, self._tensors, self._exact = own, tensors, exact
        #: By their numbers; they are kept, so that no value that is made later has the same number.
        self._seen: dict[int, Any] = {}

    def of(self, value: Any) -> Hashable:
        if value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
            return type(value).__name__, repr(value)
        if id(value) in self._seen:
            return "seen"
        self._seen[id(value)] = value
        try:
            return type(value).__qualname__, self._content(value)
        except Exception:  # code of a class that is not known may do anything
            return type(value).__qualname__

    def _content(self, value: Any) -> Hashable:
        if isinstance(value, Tensor):
            if not self._exact and value.device.type != "cpu":
                return tuple(value.shape), str(value.dtype)
            return _of_tensor(value, self._tensors)
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return value.shape, str(value.dtype), _checksum(value.reshape(-1))
        if (state := random_state(value)) is not None:
            return zlib.crc32(pickle.dumps(state))
        if isinstance(value, types.CellType):
            return None if _empty(value) else self.of(value.cell_contents)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return self.of(value.__func__), self.of(value.__self__)
        if isinstance(value, functools.partial):
            return self.of(value.func), self.of(value.args), self.of(value.keywords)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.GeneratorType):
            return value.gi_frame and (value.gi_frame.f_lasti, self.of(dict(value.gi_frame.f_locals)))
        if isinstance(value, bytearray | memoryview) or type(value).__module__ in ("array", "_ctypes", "ctypes"):
            return zlib.crc32(memoryview(value).cast("B"))
        return self._items(value), self._attributes(value)

    def _items(self, value: Any) -> Hashable:
        """What a container holds, or where an iterator stands."""
        if isinstance(value, dict):
            return len(value), tuple((self.of(name), self.of(one)) for name, one in islice(value.items(), ITEMS))
        if isinstance(value, set | frozenset):
            return frozenset(map(self.of, islice(value, ITEMS)))
        if isinstance(value, list | tuple | deque):
            spread = range(0, len(value), 1 + len(value) // ITEMS)
            return len(value), tuple(self.of(value[at]) for at in spread)
        if type(value).__module__ == "itertools" or type(value).__name__.endswith("iterator"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.of(value.__reduce__())
        return repr(value) if type(value).__module__ in _ADDRESSLESS else None

    def _attributes(self, value: Any) -> Hashable:
        kind = type(value)
        if kind.__module__ not in self._own and not isinstance(value, nn.Module) and not _known(kind.__module__):
            return None
        held = dict(getattr(value, "__dict__", {}))
        held |= {
            name: getattr(value, name)
            for each in kind.__mro__
            for name in _names(vars(each).get("__slots__", ()))
            if hasattr(value, name)
        }
        if isinstance(value, nn.Module) and not self._tensors:
            # Of parameters it is enough, and quick, to know whether somebody has written into them.
            held["_parameters"] = [own._version for own in value._parameters.values() if own is not None]
        # Torch counts all hooks of a process, and keeps a module's by these numbers.
        hooks = {name for name in held if "_hooks" in name and isinstance(value, nn.Module)}
        return tuple(
            (name, tuple(map(self.of, one.values())) if name in hooks and isinstance(one, dict) else self.of(one))
            for name, one in held.items()
        )

    def _function(self, function: types.FunctionType) -> Hashable:
        if function.__module__ not in self._own:
            return function.__qualname__
        parts = (function.__closure__, function.__defaults__, function.__kwdefaults__, function.__dict__)
        return function.__qualname__, *(self.of(part) if part else None for part in parts)

    def _class(self, kind: type) -> Hashable:
        if kind.__module__ not in self._own:
            return kind.__qualname__
        held = {name: one for name, one in vars(kind).items() if not name.startswith("__")}
        return kind.__qualname__, tuple((name, self.of(one)) for name, one in held.items())


def random_state(value: Any) -> Any:
    """The state of a random generator of torch, numpy or Python; None for any other value."""
    if isinstance(value, torch.Generator):
        return value.get_state().numpy().tobytes()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, np.random.BitGenerator):
        return value.state
    if isinstance(value, np.random.RandomState):
        return value.get_state()
    return value.getstate() if isinstance(value, random.Random) else None


def _of_tensor(tensor: Tensor, kept: bool = True) -> Hashable:
    """``kept``: whether the numbers are looked at of what a transformed function has left behind."""
    while kept and torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return "traced"
    flat = tensor.detach().reshape(-1)
    step = 1 + flat.nbytes // BYTES
    return tuple(tensor.shape), str(tensor.dtype), _checksum(flat[::step].cpu().contiguous().view(torch.uint8).numpy())


def _checksum(flat: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(flat[:: 1 + flat.nbytes // BYTES]).tobytes())


def _known(module: str) -> bool:
    return module.startswith(_TORCHS) or module in _KNOWN


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _empty(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False
