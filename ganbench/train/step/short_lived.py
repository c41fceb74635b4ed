"""What lives for one step: an attribute that a plugin sets on it would be lost after the step, so it is refused."""

from __future__ import annotations

from typing import Any, ClassVar


class ShortLived:
    """An object that a plugin is given for one step.

    A class of such objects gives, beside its bases, ``own``: the names of its own attributes; ``called``: what plugins
    know it as; ``instead``: what to write in place of an attribute that they would set. A class derived from it that
    gives none of these is no plugin's to see, and takes any attribute.
    """

    _own: ClassVar[frozenset[str] | None]
    _refusal: ClassVar[str]

    def __init_subclass__(cls, own: str = "", called: str = "", instead: str = "") -> None:
        """Keep what the class gives."""
        super().__init_subclass__()
        cls._own = frozenset(own.split()) or None
        cls._refusal = f"of {called}, which lives for one step: {instead}"

    def __setattr__(self, name: str, value: Any) -> None:
        """Raise AttributeError where the attribute is none of the object's own."""
        if self._own is not None and name not in self._own:
            raise AttributeError(f"sets .{name} {self._refusal}")
        super().__setattr__(name, value)
