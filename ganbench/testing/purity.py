"""What plugin code must not change: the tensors that it is given, and the global random states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganbench.core.rng import drawn_since, global_states, reseed, restored
from ganbench.plugin.binding import BoundFunction
from ganbench.testing.result import WrongError


@contextmanager
def global_rng_untouched() -> Iterator[None]:
    """Raise WrongError where the block changes the global random state of torch, numpy or Python."""
    with restored():
        # States that no plugin can know: so a plugin that seeds the generators always changes them.
        reseed(0, "no plugin's seed")
        states = global_states()
        yield
        touched = drawn_since(states)
    if touched:
        raise WrongError(f"changes {touched[0]}'s global random state: it seeds it, or draws from it")


def watched(bound: BoundFunction[Any]) -> BoundFunction[Any]:
    """The function, with a check: it raises WrongError where it changes a tensor that it is given."""

    def function(*given: Any, **parameters: Any) -> Any:
        with unchanged(dict(zip(bound.names, given, strict=True))):
            return bound.function(*given, **parameters)

    function.__name__ = getattr(bound.function, "__name__", "function")
    return BoundFunction(function, bound.names, bound.parameters)


@contextmanager
def unchanged(given: Mapping[str, Any]) -> Iterator[None]:
    """Raise WrongError where the block changes a tensor among the values ``given``, by name."""
    before = {name: [leaf.detach().clone() for leaf in _tensors(value)] for name, value in given.items()}
    yield
    for name, value in given.items():
        for old, new in zip(before[name], _tensors(value), strict=True):
            if not torch.equal(old.nan_to_num(), new.detach().nan_to_num()):
                raise WrongError(f"changes {name} in place")


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def call(function: Callable[..., Any]) -> str:
    """The name of a function in messages."""
    return str(getattr(function, "__name__", "function"))
