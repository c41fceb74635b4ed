"""What plugin code must not change: the tensors that it is given, and the global random states."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganbench.plugin.binding import BoundFunction
from ganbench.testing.result import WrongError


@contextmanager
def global_chance_untouched() -> Iterator[None]:
    """Raise WrongError where the block changes the global random state of torch, numpy or Python."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    # States that no plugin can know: so a plugin that seeds the generators always changes them.
    torch.default_generator.manual_seed(0x5EED_0F_A_7E57)
    np.random.seed(0x7E57)
    random.seed("no plugin's seed")
    states = _states()
    try:
        yield
        after = _states()
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])
    if touched := [name for name, state in after.items() if state != states[name]]:
        raise WrongError(f"changes {touched[0]}'s global random state: it seeds it, or draws from it")


def _states() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (kind, np.asarray(keys).tobytes(), *rest),
        "Python": random.getstate(),
    }


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
