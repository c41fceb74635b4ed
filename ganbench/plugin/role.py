"""What a column is to tables, comparisons and charts, which know none by name; and what a primary one's values mean.

========== ============================================================================================================
value      a number of its own, and nothing more
primary    tells which of two variants is better, with ``Thresholds``; of several in a run the first is the primary one
clock      a time or a rate of the cell, never twice the same: compared as advice, or by interleaved timing
count      counted of the cell, the same again on the same versions and device: compared exactly
memory     of the cell, as the system measures it: varies, and is not compared
covered    modes covered
largest    the share of the samples at the fullest mode
scale      the samples' total std over the data's
location   how far the samples' mean is from the data's, in total std of the data
logits     the std of the discriminator's logits over data and samples
low, high  the ends of the interval of the column that it is ``of``; of a clock its least and greatest number
error      the standard error of that column
floor      the value of that column, measured or expected, for the data itself
total      the number that that column is out of
method     in words, how that column was estimated; ``LOWER_BOUND``: the true number may be greater
========== ============================================================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "value",
    "primary",
    "clock",
    "count",
    "memory",
    "covered",
    "largest",
    "scale",
    "location",
    "logits",
    "low",
    "high",
    "error",
    "floor",
    "total",
    "method",
]
#: The roles of a column that is a part of another, which it is ``of``.
PARTS: frozenset[Role] = frozenset({"low", "high", "error", "floor", "total", "method"})
#: The roles of what is measured of a cell as a whole, all seeds together: by metrics that name ``speed`` or ``cost``.
OF_CELL: frozenset[Role] = frozenset({"clock", "count", "memory"})
#: The word of a ``method`` for an estimate that is a lower bound: the true number may be greater.
LOWER_BOUND = "lower bound"
#: The units of time, in seconds; a rate is anything ``/s``.
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Thresholds:
    """What the values of a primary column mean, in its unit.

    Args:
        min_effect: A smaller change from run to run does not matter.
        converged: As good as this, or better, counts as converged.
        settled: Values no further apart than this, beyond their intervals, are settled.
        half_lost: The best value of samples at a mode that holds at most half of the data, less its noise; None: not
            known, and no seed is called collapsed for lying at one mode.
        best: The value of the data itself.
        worst: The worst value that there can be, where performance profiles end; None: not known, they end at the
            worst of the runs.
    """

    min_effect: float
    converged: float
    settled: float
    half_lost: float | None = None
    best: float = 0.0
    worst: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where a number makes no sense."""
        numbers = [number for number in vars(self).values() if number is not None]
        if (
            not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
            or self.min_effect < 0
            or self.settled <= 0
        ):
            raise ValueError("thresholds must be finite numbers, min_effect at least 0 and settled above 0")

    @property
    def decimals(self) -> int:
        """How many decimals tell settled values apart, to three digits."""
        return max(0, 2 - math.floor(math.log10(self.settled)))
