"""How a variant is drawn: the same colour, shape and dash in every chart of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ganbench.record.record import Record

#: So many colours are told apart; each has a value for light and for dark in the page's style.
COLOURS = 10
#: The shapes, by the names that Vega has for them, so that colour is never the only sign.
_OUTLINES = {
    "circle": "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z",
    "square": "M-4 -4H4V4H-4Z",
    "triangle-up": "M0 -4.6L5 4H-5Z",
    "diamond": "M0 -5.2L4.2 0L0 5.2L-4.2 0Z",
    "triangle-down": "M0 4.6L5 -4H-5Z",
    "cross": "M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",
    "triangle-right": "M4.6 0L-4 5V-5Z",
    "triangle-left": "M-4.6 0L4 5V-5Z",
}
SHAPES = tuple(_OUTLINES)
_DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 3), (1, 4), (9, 3, 2, 3, 2, 3))


@dataclass(frozen=True)
class Mark:
    """How a variant is drawn. ``colour``: the number of its colour; ``dash``: lengths of line and gap, in pixels."""

    variant: str
    colour: int
    shape: str
    dash: tuple[int, ...]

    @property
    def paint(self) -> str:
        """Its colour, as a style sheet names it."""
        return f"var(--c{self.colour})"


def marks(records: Iterable[Record]) -> Mapping[str, Mark]:
    """The mark of each trained variant, by name, in the order of the suites.

    Settings of one sweep share a colour and differ in shape and dash; other variants differ in colour and shape.
    """
    families: dict[str, list[str]] = {}
    for record in records:
        for cell in record.cells:
            settings = families.setdefault(cell.family, []) if not cell.reference else []
            if cell.variant not in settings:
                settings.append(cell.variant)
    found: dict[str, Mark] = {}
    for place, settings in enumerate(families.values()):
        for setting, variant in enumerate(settings):
            turn = setting if len(settings) > 1 else place
            dash = _DASHES[(setting + place // COLOURS) % len(_DASHES)]
            found[variant] = Mark(variant, place % COLOURS, SHAPES[turn % len(SHAPES)], dash)
    return found


def outline(shape: str) -> str:
    """A shape as the path of an SVG image, about 10 wide, around 0."""
    return _OUTLINES[shape]
