"""The seconds of a step on two sides that were timed in turn, and the verdict: slower, faster, or the same.

In each round the two sides ran one right after the other, so any other load of the machine slowed both. If they are
equally fast, the logarithm of their ratio has either sign with equal probability: Wilcoxon's signed-rank test is exact.
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
#: The significance at which a case is flagged and measured again: large, so that one bad round of 8 hides no change.
FLAGGED = 0.1
#: Rounds that every case is timed in, and how many times as many when it is measured again (at least).
ROUNDS, AGAIN = 8, 2
_CONFIDENCE = 0.95
_POWER = 0.95


@dataclass(frozen=True)
class Timing:
    """Seconds of a model-step on either side, one number for each round."""

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
        """The ratios that the test does not reject at 5 %: its exact interval. None with fewer than 6 rounds."""
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
        """The smallest loss of speed that rounds with this scatter find 95 times of 100.

        A share of the speed; 1 where no loss would be found.
        """
        if self.rounds < 2 or 2.0**-self.rounds > alpha:
            return 1.0
        # None: the rounds do not scatter, so any loss is seen.
        seen = detectable(self._logs, level=2 * alpha, power=_POWER) or 0.0
        return max(min_effect, -math.expm1(-seen))


def alpha_of(cases: int) -> float:
    """The significance that a flagged case needs in its fresh rounds.

    A case that has not changed is flagged with a probability of at most ``FLAGGED``. Its fresh rounds are independent
    of that, and significant with a probability of at most this alpha. So a false alarm in any of ``cases`` cases has a
    probability of at most ``LEVEL``.
    """
    return min(FLAGGED, LEVEL / (FLAGGED * max(1, cases)))


def rounds_again(rounds: int, alpha: float) -> int:
    """How many fresh rounds: twice as many as before, or enough for significance though a few rounds disagree."""
    return max(AGAIN * rounds, math.ceil(-math.log2(alpha)) + 10)


def flagged(timing: Timing, min_effect: float) -> bool:
    """Whether a case looks slower, or faster, by more than half of ``min_effect``; larger changes are rarely missed."""
    ratio, least = timing.ratio, min_effect / 2
    return (ratio < 1 - least and timing.slower.p <= FLAGGED) or (ratio > 1 + least and timing.faster.p <= FLAGGED)


def outcome_of(first: Timing, again: Timing | None, alpha: float, min_effect: float) -> tuple[Outcome, str]:
    """The verdict on a case, from its fresh rounds alone where there are any.

    Args:
        first: the rounds of all cases
        again: the fresh rounds of a flagged case, or None
        alpha: the significance that the fresh rounds need
        min_effect: the share of the speed that must be lost (or gained) to matter

    Returns:
        The verdict and its reason.
    """
    last = again or first
    large = not 1 - min_effect <= last.ratio <= 1 + min_effect
    if again is None:
        return (Outcome.UNSURE if large else Outcome.SAME), f"{first.rounds} rounds in turn"
    reason = f"{first.rounds} + {again.rounds} rounds in turn"
    if not large:
        return Outcome.SAME, f"{reason}: by less than matters"
    if max(first.ratio, again.ratio) < 1 and again.slower.p <= alpha:
        return Outcome.WORSE, reason
    if min(first.ratio, again.ratio) > 1 and again.faster.p <= alpha:
        return Outcome.BETTER, reason
    return Outcome.UNSURE, reason
