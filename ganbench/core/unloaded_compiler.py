"""Torch without its compiler, which takes 3 seconds to load: training eagerly, and all that is tried before, need none.

The first gradient of torch.func, and the first operation within a dispatch mode, load the compiler only to switch it
off for themselves. In a process that has not loaded it, it is off: the same code of torch's then runs without the
switch. Once something has loaded it, torch's own functions are called as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import FunctionType, SimpleNamespace
from typing import Any, TypeVar

import torch
from torch._functorch import eager_transforms
from torch.utils._python_dispatch import TorchDispatchMode

_COMPILER = "torch._dynamo"
#: Torch's function that takes the gradient, for all that torch.func has.
_GRADIENT = "_autograd_grad"
_DISPATCH = "__torch_dispatch__"

M = TypeVar("M", bound=TorchDispatchMode)


class _Torch:
    """Torch, as that function sees it: the switch does nothing."""

    _dynamo = SimpleNamespace(compiled_autograd=SimpleNamespace(_disable=nullcontext))

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def leave_unloaded() -> None:
    """From now on no gradient of torch.func loads the compiler."""
    own = getattr(eager_transforms, _GRADIENT, None)
    # Another version of torch may have no such function, or one that loads nothing.
    if not isinstance(own, FunctionType) or "_dynamo" not in own.__code__.co_names:
        return
    alike = FunctionType(own.__code__, own.__globals__ | {"torch": _Torch()}, own.__name__, own.__defaults__)
    alike.__kwdefaults__ = own.__kwdefaults__
    setattr(eager_transforms, _GRADIENT, _until_loaded(alike, own))


def unloaded(mode: type[M]) -> type[M]:
    """A dispatch mode that does not load the compiler: a decorator of its class."""
    switched = mode.__dict__[_DISPATCH]
    # Torch has put the switch around it; a version of torch that does not is left as it is.
    if plain := getattr(switched, "__wrapped__", None):
        setattr(mode, _DISPATCH, _until_loaded(plain, switched))
    return mode


def _until_loaded(plain: Callable[..., Any], switched: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is the first one until the compiler is loaded, and then the second."""

    def called(*args: Any, **kwargs: Any) -> Any:
        return (switched if _COMPILER in sys.modules else plain)(*args, **kwargs)

    return called
