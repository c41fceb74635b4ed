"""Hooks of torch's on weights: in a step weights are parts of one vector, so none is ever called."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganbench.core.installed import foreign
from ganbench.core.place import place

CURE = (
    "and no step calls it, so no gradient would change: to train a part of a weight write w * mask + w.detach() * "
    "(1 - mask) in forward, to clip write clip: 1.0 in the suite's optimizer, and what else changes a gradient is an "
    "optimizer's update(), as theta - lr * gradient.clamp(-c, c)"
)


def hooked(tensor: Tensor) -> bool:
    """Whether a tensor has hooks of its gradient."""
    return any(True for _ in _hooks(tensor))


def place_of_hook(tensor: Tensor) -> str:
    """Where the first hook of a tensor is written: `` (mine.py:12)``; empty where that is not known."""
    return next((f" ({place(*found)})" for hook in _hooks(tensor) if (found := _written(hook))), "")


def _hooks(tensor: Tensor) -> Iterator[Any]:
    for kind in ("_backward_hooks", "_post_accumulate_grad_hooks"):
        yield from (getattr(tensor, kind, None) or {}).values()


def _written(hook: Any) -> tuple[str, int] | None:
    """The file and the line of a hook; of a function of torch's that holds it, the user's own inside."""
    while isinstance(hook, functools.partial):
        hook = hook.func
    hook = getattr(hook, "__func__", hook)
    hook = hook if isinstance(hook, types.FunctionType) else getattr(type(hook), "__call__", None)  # noqa: B004
    if not isinstance(hook, types.FunctionType):
        return None
    if not foreign(hook.__module__):
        return hook.__code__.co_filename, hook.__code__.co_firstlineno
    held = [cell.cell_contents for cell in hook.__closure__ or () if callable(cell.cell_contents)]
    return next((found for each in held if each is not hook and (found := _written(each))), None)
