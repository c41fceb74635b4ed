"""The running average of the generator's weights, as a suite writes it: ``0.999``, or ``{width: 0.05}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from ganbench.plugin.parameters import Parameter

Decay = Annotated[float, Field(gt=0, lt=1)]
#: A mean of all steps has the width 1 / sqrt(12), 0.289: beyond that, old steps would weigh more than new ones.
Width = Annotated[float, Field(gt=0, le=0.28)]
#: What a sweep may vary, by its key.
SWEPT: Mapping[str, Parameter] = {
    f"average.{name}": Parameter(name, annotation, None, True, TypeAdapter(annotation))
    for name, annotation in (("decay", Decay), ("width", Width))
}


@dataclass(frozen=True)
class Average:
    """Which running average of the generator's weights is evaluated; one of the two is given.

    ``decay``: the share of the average that stays at each step. ``width``: over which of the steps made so far the
    average is taken: their standard deviation, as a share of their number (Karras et al. 2024, arXiv:2312.02696,
    section 3.1).
    """

    decay: float | None = None
    width: float | None = None

    @classmethod
    def of(cls, raw: Any) -> Average | None:
        """Read what a suite says; None where that is nothing, or of another shape."""
        given = raw if isinstance(raw, dict) else {"decay": raw}
        fits = [name for name, value in given.items() if name in ("decay", "width") and isinstance(value, float)]
        return cls(**given) if len(fits) == len(given) == 1 else None

    def at(self, setting: Iterable[tuple[str, Any]]) -> Average:
        """The average at a setting of a sweep."""
        return replace(self, **{SWEPT[key].name: value for key, value in setting if key in SWEPT})

    def has(self, key: str) -> bool:
        """Whether a sweep can vary this average by a key: a decay does not become a width."""
        return getattr(self, SWEPT[key].name) is not None

    def plain(self) -> float | dict[str, float | None]:
        """The average as a suite file writes it."""
        return {"width": self.width} if self.decay is None else self.decay
