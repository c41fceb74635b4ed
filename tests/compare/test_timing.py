"""What rounds in turn say: the interval and the test are exact, the words follow from them, false alarms are few."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wilcoxon

from ganbench.compare.speed.timing import FLAGGED, LEVEL, Timing, alpha_of, flagged, outcome_of, rounds_again
from ganbench.compare.verdicts.finding import Outcome

FLOOR = 0.1


def timing(logs) -> Timing:
    """Rounds whose speeds, new over base, have these logarithms."""
    return Timing(tuple(np.exp(np.asarray(logs, dtype=float))), (1.0,) * len(logs))


def test_the_ratio_is_of_speeds_and_one_wild_round_does_not_move_it():
    assert Timing((1.0,) * 8, (1.25,) * 8).ratio == pytest.approx(0.8)
    assert Timing((1.0,) * 8, (*(1.25,) * 7, 99.0)).ratio == pytest.approx(0.8)


def test_slower_is_the_signed_rank_test_of_the_log_ratios():
    logs = np.random.default_rng(1).normal(-0.1, 0.1, 9)
    assert timing(logs).slower.p == pytest.approx(wilcoxon(logs, alternative="less").pvalue)
    assert timing(logs).faster.p == pytest.approx(wilcoxon(logs, alternative="greater").pvalue)


def test_the_interval_holds_the_true_ratio_as_often_as_the_exact_test_says():
    """8 rounds: 96.1 %. Of 2000, four standard errors; error rate below 0.01 %."""
    random = np.random.default_rng(2)
    held = 0
    for _ in range(2000):
        low, high = timing(random.standard_t(3, 8) * 0.05 - 0.2).interval
        held += low <= math.exp(-0.2) <= high
    assert abs(held / 2000 - (1 - 10 / 256)) < 4 * math.sqrt(0.961 * 0.039 / 2000)


def test_fewer_than_six_rounds_have_no_interval():
    assert timing([0.1] * 5).interval is None
    assert timing([0.1] * 6).interval is not None


def test_rounds_come_in_pairs():
    with pytest.raises(ValueError, match="2 and 1 rounds are no pairs"):
        Timing((1.0, 1.0), (1.0,))


@pytest.mark.parametrize(
    ("first", "again", "word"),
    [
        (-0.2, None, Outcome.UNSURE),
        (-0.05, None, Outcome.SAME),
        (-0.2, -0.2, Outcome.WORSE),
        (0.2, 0.2, Outcome.BETTER),
        (-0.2, -0.05, Outcome.SAME),
        (-0.2, 0.2, Outcome.UNSURE),
    ],
)
def test_words(first, again, word):
    jitter = np.linspace(-0.01, 0.01, 8)
    given = None if again is None else timing(again + jitter)
    assert outcome_of(timing(first + jitter), given, alpha_of(12), FLOOR)[0] is word


def test_fresh_rounds_that_scatter_convict_nobody():
    logs = [-0.9, -0.5, -0.3, -0.2, -0.15, 0.4, 0.6, 0.25]
    assert outcome_of(timing([-0.2] * 8), timing(logs), alpha_of(12), FLOOR)[0] in (Outcome.UNSURE, Outcome.SAME)


@pytest.mark.parametrize("cases", [1, 3, 12, 40, 400])
def test_the_bar_can_be_reached_and_keeps_the_level_of_the_suite(cases):
    assert cases * FLAGGED * alpha_of(cases) <= LEVEL * (1 + 1e-12)
    assert 2.0 ** -rounds_again(8, alpha_of(cases)) <= alpha_of(cases) / 8


def test_false_alarms_of_a_suite_are_rare_without_any_floor():
    """The test alone, 40 cases of wild noise: at most 0.5 % of suites. Of 1000, 13 or more at 0.5 %: 0.2 %."""
    random = np.random.default_rng(3)
    level = alpha_of(40)
    rounds = rounds_again(8, level)
    alarms = 0
    for _ in range(1000):
        firsts = random.standard_t(2, (40, 8)) * 0.2
        suspects = [one for one in map(timing, firsts) if one.ratio < 1 and flagged(one, 0.0)]
        again = [timing(random.standard_t(2, rounds) * 0.2) for _ in suspects]
        alarms += any(
            outcome_of(one, two, level, 0.0)[0] is Outcome.WORSE for one, two in zip(suspects, again, strict=True)
        )
    assert alarms < 13


def test_what_is_visible_is_at_least_the_floor_and_grows_with_the_scatter():
    calm, wild = (timing(np.linspace(-1, 1, 8) * spread).visible(alpha_of(3), FLOOR) for spread in (0.01, 0.2))
    assert calm == FLOOR
    assert FLOOR < wild < 1
    assert timing([0.1] * 4).visible(alpha_of(12), FLOOR) == 1.0
