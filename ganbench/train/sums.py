"""The terms that a user's loss is the sum of: one that has no gradient changes the value, and moves nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganbench.train.columns import own_line

#: Torch's functions of which the gradient of a sum is the sum of the gradients, by their names without underscores.
_FACTORS = {"mul", "rmul", "imul", "div", "truediv", "itruediv"}
_SUMS = {"add", "sub", "rsub", "radd", "iadd", "isub", "neg", "mean", "sum", *_FACTORS}


class Addend(NamedTuple):
    """A term of a sum: whether it has a gradient, its numbers where it has none, and the line that adds it."""

    gradient: bool
    numbers: Tensor | None
    line: str


class Sums(TorchFunctionMode):
    """Takes a value apart: the terms of ``a.mean() + 2 * b`` are those of ``a`` and those of ``b``."""

    def __init__(self) -> None:
        super().__init__()
        # By identity, and kept: so no later tensor has the identity of one that is gone.
        self._terms: dict[int, tuple[Tensor, list[Addend]]] = {}

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        taken = [value for value in (*args, *(kwargs or {}).values()) if isinstance(value, Tensor)]
        name = getattr(function, "__name__", "").strip("_")
        line = own_line() if name in _SUMS and taken and not (name in _FACTORS and len(taken) > 1) else ""
        # Before the call, which may change one of them in place.
        found = [term for value in taken for term in self.terms_of(value, line)] if line else []
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self._terms.pop(id(result), None)
            if found:
                self._terms[id(result)] = (result, found)
        return result

    def terms_of(self, value: Tensor, line: str = "") -> list[Addend]:
        """The terms of a value: itself alone, where it is no sum. ``line``: the one that adds it."""
        if id(value) in self._terms:
            return self._terms[id(value)][1]
        return [Addend(value.requires_grad, None if value.requires_grad else value.detach().clone(), line)]


def idle(terms: list[Addend], elsewhere: list[Addend]) -> list[Addend]:
    """The terms that have no gradient though they depend on the player: at other weights they are others.

    Args:
        terms: those of a value
        elsewhere: those of the same value, at other weights

    Returns:
        Those of ``terms``; none where the two are not alike.
    """
    if len(terms) != len(elsewhere):
        return []
    return [
        term
        for term, other in zip(terms, elsewhere, strict=True)
        if term.numbers is not None and other.numbers is not None and not _same(term.numbers, other.numbers)
    ]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(one.isclose(other, rtol=1e-6, equal_nan=True).all())
