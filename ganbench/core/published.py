"""What a paper has published of the rows of a suite, to put beside what was measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class PublishedRow:
    """A number that a paper gives of a row of the table, in the unit of our ``column``.

    ``se``: its standard error; ``sd``: the standard deviation of its trials; at most one of them. ``trials``: how many
    trainings it is of. ``decimals``: to how many it was printed. ``called``: what the paper calls it. ``unlike``: why
    the two are not the same thing; empty where they are.
    """

    dataset: str
    variant: str
    column: str
    value: float
    decimals: int
    se: float | None = None
    sd: float | None = None
    trials: int | None = None
    called: str = ""
    unlike: str = ""

    @property
    def standard_error(self) -> float | None:
        """The standard error of the number; None where the paper gives no spread."""
        if self.sd is not None and self.trials:
            return self.sd / math.sqrt(self.trials)
        return self.se

    @property
    def rounding(self) -> float:
        """How far the number may be from what was rounded to it."""
        return 0.5 * 10.0**-self.decimals

    def plain(self) -> dict[str, Any]:
        """The row as a suite file writes it."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class Published:
    """The numbers of a paper, and which paper: its ``source`` says where they were read."""

    source: str
    rows: tuple[PublishedRow, ...]

    def of(self, there: Set[tuple[str, str]]) -> Published | None:
        """Those of the rows ``there``, pairs of a data set and a variant; None where there are none."""
        rows = tuple(row for row in self.rows if (row.dataset, row.variant) in there)
        return Published(self.source, rows) if rows else None

    def plain(self) -> dict[str, Any]:
        """The numbers as a suite file writes them, and as run.json has them."""
        return {"source": self.source, "rows": [row.plain() for row in self.rows]}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Published:
        """What ``plain`` wrote."""
        return cls(plain["source"], tuple(PublishedRow(**row) for row in plain["rows"]))


def decimals_of(value: float) -> int:
    """To how many decimals a number is written, as ``repr`` writes it: 1 for 6.0 and 6.3, 0 for 6, 7 for 2.6e-6."""
    exponent = Decimal(repr(value)).as_tuple().exponent
    return max(0, -int(exponent))
