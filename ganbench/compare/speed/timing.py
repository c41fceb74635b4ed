"""The seconds of a step on two sides that were timed in turn, and what they say: slower, faster, or the same.

The two sides of a round ran one right after the other, so what else the machine was doing hit both. Where they are
alike, the logarithm of their ratio has either sign with equal probability: Wilcoxon's signed-rank test is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ganbench.compare.verdicts.finding import Outcome
from ganbench.stats.exact_tests import TestResult, signed_rank
from ganbench.stats.paired import detectable

#: The probability of any false alarm on the speed of a whole suite, beside that on its convergence.
LEVEL = 0.005
#: The significance that gets a case measured again. One wild round of 8 is not to hide what the others say.
FLAGGED = 0.1
#: Rounds that every case is timed in, and how many times as many when it is measured again.
ROUNDS, AGAIN = 8, 2
_CONFIDENCE = 0.95
_POWER = 0.95


@dataclass(frozen=True)
class Timing:
    """Seconds a model-step of either side, a number a round."""

    base: tuple[float, ...]
    new: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.base) != len(self.new) or not self.base:
            raise ValueError(f"{len(self.base)} and {len(self.new)} rounds are no pairs")

    @property
    def rounds(self) -> int:
        """How many rounds both sides were timed in."""
        return len(self.base)

    @cached_property
    def _walsh(self) -> np.ndarray:
        """The means of every two rounds' log ratios of speed, and of each with itself, sorted."""
        logs = self._logs
        first, second = np.triu_indices(len(logs))
        means: np.ndarray = (logs[first] + logs[second]) / 2
        return np.sort(means)

    @property
    def _logs(self) -> np.ndarray:
        ratios: np.ndarray = np.array(self.base) / np.array(self.new)
        logs: np.ndarray = np.log(ratios)
        return logs

    @property
    def ratio(self) -> float:
        """The speed of the new side over that of the base, below 1 where it is slower.

        The median of the means of every two rounds (Hodges & Lehmann 1963).
        """
        return math.exp(float(np.median(self._walsh)))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ratios that the rounds do not speak against at 5 %: the exact interval that belongs to the test.

        None with fewer than 6 rounds.
        """
        ways = np.ones(1)
        for rank in range(1, self.rounds + 1):
            either = np.zeros(rank + 1)
            either[[0, rank]] = 0.5
            ways = np.convolve(ways, either)
        skipped = int((np.cumsum(ways) <= (1 - _CONFIDENCE) / 2).sum())
        if not skipped:
            return None
        return math.exp(self._walsh[skipped - 1]), math.exp(self._walsh[-skipped])

    @property
    def slower(self) -> TestResult:
        """Whether the new side is slower."""
        return signed_rank(-self._logs)

    @property
    def faster(self) -> TestResult:
        """Whether the new side is faster."""
        return signed_rank(self._logs)

    def visible(self, alpha: float, min_effect: float) -> float:
        """The smallest loss of speed, as a share of it, that is found 95 times of 100 by rounds that scatter so.

        1 where none would be.
        """
        if self.rounds < 2 or 2.0**-self.rounds > alpha:
            return 1.0
        # Rounds alike to the last digit hide nothing.
        seen = detectable(self._logs, level=2 * alpha, power=_POWER) or 0.0
        return max(min_effect, -math.expm1(-seen))


def alpha_of(cases: int) -> float:
    """The significance that a case, once accused, needs in its fresh rounds.

    Each of ``cases`` alike is accused with a probability of at most ``FLAGGED``, and of fresh rounds that do not know
    of it convicted with at most the alpha: so any of them is with at most ``LEVEL``.
    """
    return min(FLAGGED, LEVEL / (FLAGGED * max(1, cases)))


def rounds_again(rounds: int, alpha: float) -> int:
    """How many fresh rounds: twice as many as before, or so many that a few pointing the other way do no harm."""
    return max(AGAIN * rounds, math.ceil(-math.log2(alpha)) + 10)


def flagged(timing: Timing, min_effect: float) -> bool:
    """Whether a case looks slower, or faster, by more than half the floor: so what is beyond it is hardly missed."""
    ratio, least = timing.ratio, min_effect / 2
    return (ratio < 1 - least and timing.slower.p <= FLAGGED) or (ratio > 1 + least and timing.faster.p <= FLAGGED)


def outcome_of(first: Timing, again: Timing | None, alpha: float, min_effect: float) -> tuple[Outcome, str]:
    """The word on a case, and the reason: on the fresh rounds alone where there are any."""
    last = again or first
    beyond = not 1 - min_effect <= last.ratio <= 1 + min_effect
    if again is None:
        return (Outcome.UNSURE if beyond else Outcome.SAME), f"{first.rounds} rounds in turn"
    reason = f"{first.rounds} + {again.rounds} rounds in turn"
    if not beyond:
        return Outcome.SAME, f"{reason}: by less than matters"
    if max(first.ratio, again.ratio) < 1 and again.slower.p <= alpha:
        return Outcome.WORSE, reason
    if min(first.ratio, again.ratio) > 1 and again.faster.p <= alpha:
        return Outcome.BETTER, reason
    return Outcome.UNSURE, reason
