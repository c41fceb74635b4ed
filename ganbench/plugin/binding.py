"""How a plugin's function is called: positional parameters are filled by name, a suite sets the keyword-only ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ganbench.core.place import place

T = TypeVar("T")


@dataclass(frozen=True)
class BoundFunction(Generic[T]):
    """A function with the parameters that a suite set; ``names``: its positional parameters, in order.

    ``written``: the plugin's own function, where ``function`` calls it.
    """

    function: Callable[..., T]
    names: tuple[str, ...]
    parameters: Mapping[str, Any]
    written: Callable[..., Any] | None = None

    @property
    def where(self) -> str:
        """Where the plugin's function is written: `` (mine.py:12)``; empty where that is not known."""
        code = getattr(inspect.unwrap(self.written or self.function), "__code__", None)
        return f" ({place(code.co_filename, code.co_firstlineno)})" if code else ""

    def __call__(self, scope: Mapping[str, Any]) -> T:
        """Call the function with the values of ``scope`` that it names."""
        return self.function(*[scope[name] for name in self.names], **self.parameters)


def bind(function: Callable[..., T], parameters: Mapping[str, Any]) -> BoundFunction[T]:
    """Bind those ``parameters`` that ``function`` declares; the others belong to another function of the plugin."""
    signature = inspect.signature(function).parameters.values()
    names = tuple(p.name for p in signature if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    own = {p.name for p in signature if p.kind is p.KEYWORD_ONLY}
    return BoundFunction(function, names, {name: value for name, value in parameters.items() if name in own})
