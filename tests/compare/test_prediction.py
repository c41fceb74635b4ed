"""What history predicts: how often that is wrong, and what the gate makes of it. Rates from fixed seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from columns import SHIPPED
from made import DEVICE, PROTOCOL, case, side

from ganbench.compare.history.prediction import FEWEST, out_of_interval, prediction
from ganbench.compare.verdicts.finding import Outcome

RANDOM = np.random.default_rng(0)


def sides(count: int, *, seeds: int = 16, shift: float = 0.0, random=None, **changes):
    """Sides whose seeds' JSDs scatter about 0.1."""
    random = random or np.random.default_rng([count, seeds])
    return [side(case(random.normal(0.1 + shift, 0.02, seeds).tolist()), **changes) for _ in range(count)]


HISTORY = sides(14)


@pytest.mark.parametrize(
    ("draw", "rate"),
    [
        ("standard_normal", 0.01),
        # Heavier tails than a normal's: 2.7 % were measured.
        ("standard_t", 0.035),
    ],
)
@pytest.mark.parametrize("n", [10, 20, 50])
def test_the_next_value_lies_within_99_times_of_100(draw, rate, n):
    """A right interval fails here with a probability of 0.1 %: 3 standard errors above the rate."""
    random = np.random.default_rng(n)
    tries = 4000
    data = random.standard_normal((tries, n + 1)) if draw == "standard_normal" else random.standard_t(3, (tries, n + 1))
    outside = sum(not low <= row[n] <= high for row in data for low, high in [prediction(row[:n])])
    assert outside / tries <= rate + 3 * math.sqrt(rate * (1 - rate) / tries)


def test_an_interval_is_students_and_holds_what_there_was():
    values = [0.0, 1.0] * 5
    low, high = prediction(values)
    # 0.5 -+ 3.2498 (Student's t, 9 degrees, 0.5 %) x 0.5270 (standard deviation) x sqrt(1.1)
    assert (low, high) == (pytest.approx(0.5 - 1.7964, abs=1e-3), pytest.approx(0.5 + 1.7964, abs=1e-3))
    outlier = [0.0] * 99 + [1.0]
    assert prediction(outlier)[1] >= 1.0


@pytest.mark.parametrize("values", [[], [0.1] * (FEWEST - 1), [0.1] * 20 + [math.inf]])
def test_few_values_and_infinite_ones_predict_nothing(values):
    assert prediction(values) is None


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        prediction([math.nan] * 12)


def test_a_run_far_outside_is_worse_and_says_what_was_expected():
    (new,) = sides(1, shift=0.06, random=np.random.default_rng(5))
    (finding,) = out_of_interval(HISTORY, new)
    assert (finding.case, finding.measure, finding.outcome, finding.advice) == (
        "ring8/minimax",
        "jsd",
        Outcome.WORSE,
        False,
    )
    assert finding.reason.startswith("outside what 14 earlier runs predict: 0.0")
    assert finding.base == pytest.approx(0.1, abs=0.01)
    assert finding.effect == pytest.approx(0.06, abs=0.02)
    assert finding.towards_worse


@pytest.mark.parametrize("shift", [-0.09, 0.0, 0.01])
def test_better_as_good_and_less_than_the_floor_are_not(shift):
    assert not out_of_interval(HISTORY, *sides(1, shift=shift, random=np.random.default_rng(6)))


def test_no_suite_of_a_hundred_is_called_worse_where_nothing_has_changed():
    """Two cases, 12 runs before: at most 1 % of 200 suites, and 3 standard errors."""
    random = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        jsd, covers = random.normal(0.1, 0.03, (13, 2, 8)), random.random((13, 2, 8)) < 0.8
        made = [
            side(*(case(jsd[run, at].tolist(), covers[run, at].tolist(), variant=f"v{at}") for at in range(2)))
            for run in range(13)
        ]
        alarms += bool(out_of_interval(made[:12], made[12]))
    assert alarms / 200 <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 200)


@pytest.mark.parametrize(
    "other",
    [
        [replace(one, protocol={**PROTOCOL, "version": 2}) for one in HISTORY],
        sides(14, seeds=8),
        HISTORY[:9],
        # The same run again and again is one run.
        HISTORY[:1] * 14,
        [],
    ],
)
def test_what_cannot_be_compared_or_is_too_little_predicts_nothing(other):
    assert not out_of_interval(other, *sides(1, shift=0.5))


def test_only_what_came_after_a_shift_predicts():
    random = np.random.default_rng(8)
    accepted = [*sides(14, random=random), *sides(14, shift=0.1, random=random)]
    assert not out_of_interval(accepted, *sides(1, shift=0.1, random=random)), "as accepted"
    (finding,) = out_of_interval(accepted, *sides(1, shift=0.15, random=random))
    assert "14 earlier runs" in finding.reason


def test_a_side_is_no_witness_for_itself_nor_is_the_same_run_again():
    (new,) = sides(1, shift=0.06, random=np.random.default_rng(5))
    assert out_of_interval([*HISTORY, new, new], new) == out_of_interval(HISTORY, new)


def test_more_seeds_diverge_than_ever():
    """A share falls by its floor at least, and beyond what binomial scatter explains."""
    random = np.random.default_rng(9)
    history = [side(case([0.1] * 15 + [0.1 + at / 1e6], (random.random(16) < 0.95).tolist())) for at in range(20)]
    found = out_of_interval(history, side(case([0.1] * 15 + [0.2], [True] * 6 + [False] * 10)))
    assert [finding.measure for finding in found] == ["all_modes"]
    assert found[0].new == 6 / 16


def test_half_of_the_seeds_without_a_number_is_worse_than_any():
    (finding,) = out_of_interval(HISTORY, side(case([None] * 10 + [0.1] * 6)))
    assert (finding.measure, finding.new, finding.effect) == ("jsd", None, math.inf)


def speeds(values, device=DEVICE):
    columns = {"model_steps_per_second": SHIPPED["model_steps_per_second"]}
    protocol = {**PROTOCOL, "metrics": {"throughput": {"name": "throughput"}}}
    known = {"metric_of": {"model_steps_per_second": "throughput"}, "protocol": protocol}
    return [
        side(case([0.1], speed={"model_steps_per_second": value}), device=device, columns=columns, **known)
        for value in values
    ]


def test_clocks_of_the_same_device_are_advice():
    history = speeds(RANDOM.normal(1000, 20, 12).tolist())
    (finding,) = out_of_interval(history, *speeds([700.0]))
    assert (finding.kind, finding.advice, finding.effect) == ("clock", True, pytest.approx(0.7, abs=0.02))
    assert not out_of_interval(history, *speeds([950.0])), "below what is predicted, but within the floor of 10 %"
    assert not out_of_interval(history, *speeds([700.0], device={**DEVICE, "cores": 64}))
