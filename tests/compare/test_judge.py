"""Each verdict from sides that deserve it, and what stands beside it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made import COLUMNS, DEVICE, PROTOCOL, VERSIONS, case, side

from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.compare.verdicts.judge import compare
from ganbench.record.status import Status

RANDOM = np.random.default_rng(0)
#: The JSDs of 16 seeds, and those of 16 seeds trained by code that is as good.
JSD, AGAIN = RANDOM.normal(0.1, 0.02, (2, 16))
ALL, NONE = [True] * 16, [False] * 16
HALF = [at % 2 == 0 for at in range(16)]
STEPS = [300.0, 400.0, 500.0, 600.0] * 4


def words(found: Comparison) -> dict[str, Outcome]:
    return {finding.measure: finding.outcome for finding in found.findings}


def one(found: Comparison, measure: str):
    return next(finding for finding in found.findings if finding.measure == measure)


def test_a_side_is_identical_to_itself():
    same = side(case(JSD, ALL, STEPS))
    found = compare(same, same)
    assert set(words(found).values()) == {Outcome.SAME}
    assert all(finding.identical for finding in found.findings)
    assert words(found).keys() == {"diverged", "all_modes", "held_all_modes_step", "jsd"}
    assert found.exit_code(strict=True) == 0


def test_as_good_is_the_same():
    found = compare(side(case(JSD, ALL, STEPS)), side(case(AGAIN, ALL, STEPS[::-1])))
    assert set(words(found).values()) == {Outcome.SAME}
    assert not one(found, "jsd").identical
    assert found.exit_code() == 0


@pytest.mark.parametrize(("shift", "word", "code"), [(0.05, Outcome.WORSE, 1), (-0.05, Outcome.BETTER, 0)])
def test_a_jsd_that_moved_is_worse_or_better(shift, word, code):
    found = compare(side(case(JSD, ALL)), side(case(AGAIN + shift, ALL)))
    finding = one(found, "jsd")
    assert finding.outcome is word
    assert finding.low < finding.effect < finding.high
    assert finding.effect == pytest.approx(shift, abs=0.02)
    assert finding.base == pytest.approx(np.median(JSD))
    assert finding.towards_worse == (shift > 0)
    assert found.exit_code(strict=True) == code


def test_coverage_that_falls_to_half_of_the_seeds_is_worse():
    found = compare(side(case(JSD, ALL, STEPS)), side(case(AGAIN, HALF, STEPS)))
    assert words(found) | {"jsd": Outcome.SAME} == {
        "diverged": Outcome.SAME,
        "all_modes": Outcome.WORSE,
        "held_all_modes_step": Outcome.SAME,
        "jsd": Outcome.SAME,
    }
    assert (one(found, "all_modes").base, one(found, "all_modes").new) == (1.0, 0.5)


def test_coverage_that_rises_is_better():
    assert words(compare(side(case(JSD, NONE)), side(case(JSD, HALF))))["all_modes"] is Outcome.BETTER


def test_coverage_that_comes_later_or_never_is_worse():
    late = [None if at % 2 else 800.0 for at in range(16)]
    finding = one(compare(side(case(JSD, ALL, STEPS)), side(case(JSD, ALL, late))), "held_all_modes_step")
    assert (finding.outcome, finding.effect) == (Outcome.WORSE, math.inf)


def test_a_few_seeds_that_fell_leave_it_unsure():
    new = case(AGAIN, [at > 3 for at in range(16)])
    found = compare(side(case(JSD, ALL)), side(new))
    assert words(found)["all_modes"] is Outcome.UNSURE
    assert (found.exit_code(), found.exit_code(strict=True)) == (0, 4)


def test_unsure_towards_better_is_nobodys_alarm():
    found = compare(side(case(JSD, [at > 3 for at in range(16)])), side(case(JSD, ALL)))
    assert words(found)["all_modes"] is Outcome.UNSURE
    assert found.exit_code(strict=True) == 0


def test_what_is_sure_and_small_is_the_same():
    finding = one(compare(side(case(JSD)), side(case(JSD + 0.01))), "jsd")
    assert (finding.outcome, finding.p < 1e-4, finding.reason) == (
        Outcome.SAME,
        True,
        "changed, but by less than matters",
    )


def test_a_floor_of_the_suite_decides_what_matters():
    strict = {"": {"jsd": 0.005}, "wgan-gp": {"jsd": False}}
    base = side(case(JSD), case(JSD, variant="wgan-gp"))
    new = side(case(JSD + 0.01), case(JSD + 1, variant="wgan-gp"), guard=strict)
    found = compare(base, new)
    assert [(f.case, f.outcome) for f in found.findings if f.measure == "jsd"] == [("ring8/minimax", Outcome.WORSE)]


def test_a_column_is_judged_where_it_has_a_floor():
    base, new = case(JSD, modes_covered=[8.0] * 16), case(JSD, modes_covered=[5.0] * 16)
    assert "modes_covered" not in words(compare(side(base), side(new)))
    found = compare(side(base), side(new, guard={"": {"modes_covered": 1.0}}))
    assert (one(found, "modes_covered").outcome, one(found, "modes_covered").effect) == (Outcome.WORSE, -3)


def test_seeds_that_diverge_are_results_and_worse():
    """All seeds diverge, without a number: infinitely worse, and said as a share too."""
    new = case([None] * 16, [None] * 16, status=dict.fromkeys(range(16), Status.DIVERGED))
    found = compare(side(case(JSD, ALL)), side(new))
    assert words(found)["diverged"] is Outcome.WORSE
    assert words(found)["all_modes"] is Outcome.WORSE
    assert found.exit_code() == 1


def test_half_of_the_seeds_without_a_number_are_infinitely_worse():
    new = case([None if at % 2 else JSD[at] for at in range(16)])
    finding = one(compare(side(case(JSD)), side(new)), "jsd")
    assert (finding.outcome, finding.effect, finding.p) == (Outcome.WORSE, math.inf, 2.0**-8)


def test_seeds_that_failed_are_said_and_the_others_judged():
    new = case(AGAIN + 0.05, status={3: Status.ERROR}, message="ValueError: no")
    found = compare(side(case(JSD)), side(new))
    failed = found.findings[0]
    assert (failed.outcome, failed.reason) == (Outcome.FAILED, "1 x error of 16 seeds: ValueError: no")
    assert one(found, "jsd").seeds == (15, 15)
    assert one(found, "jsd").outcome is Outcome.WORSE
    assert found.exit_code() == 1
    assert compare(side(case(JSD)), side(replace(new, seeds={3: new.seeds[3]}))).exit_code() == 3


def test_cases_of_one_side_only_are_new_or_gone():
    found = compare(side(case(JSD), case(JSD, variant="old")), side(case(JSD), case(JSD, variant="more")))
    assert {f.case: f.outcome for f in found.findings if not f.measure} == {
        "ring8/more": Outcome.NEW,
        "ring8/old": Outcome.GONE,
    }
    assert found.exit_code() == 0
    assert compare(side(case(JSD, variant="old")), side(case(JSD))).exit_code() == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "measured by protocol 2, now 1"),
        ({"budget": {"steps": 500, "batch": 64}}, "budget is another: steps 500 -> 1000"),
        ({"evaluate": {"every": 100, "samples": 400}}, "evaluate is another: samples 400 -> 4000"),
        ({"datasets": {"ring8": {"name": "ring", "modes": 7}}}, "the data set is another: modes 7 -> 8"),
    ],
)
def test_another_protocol_is_not_comparable(change, reason):
    found = compare(side(case(JSD), protocol=PROTOCOL | change), side(case(JSD)))
    assert [(f.outcome, f.reason) for f in found.findings] == [(Outcome.NOT_COMPARABLE, reason)]
    assert found.exit_code() == 3


def test_another_metric_makes_its_own_measures_incomparable():
    metrics = PROTOCOL["metrics"] | {"modes": {"name": "modes", "share": 0.5}}
    found = compare(side(case(JSD, ALL), protocol=PROTOCOL | {"metrics": metrics}), side(case(JSD, ALL)))
    assert words(found) == {
        "diverged": Outcome.SAME,
        "all_modes": Outcome.NOT_COMPARABLE,
        "held_all_modes_step": Outcome.NOT_COMPARABLE,
        "jsd": Outcome.SAME,
    }
    assert one(found, "all_modes").reason == "the metric 'modes' is another: share 0.5 -> 0.2"


def test_a_case_that_is_new_or_not_comparable_may_have_failed_all_the_same():
    failed = case(JSD, status=dict.fromkeys(range(16), Status.ERROR), variant="more")
    found = compare(side(case(JSD)), side(case(JSD), failed))
    assert [f.outcome for f in found.findings if f.case == "ring8/more"] == [Outcome.FAILED, Outcome.NEW]
    assert found.exit_code() == 3


def test_where_the_base_has_no_result_nothing_can_be_compared():
    failed = case(JSD, status=dict.fromkeys(range(16), Status.ERROR))
    found = compare(side(failed), side(case(JSD + 1)))
    assert [(f.outcome, f.reason) for f in found.findings] == [
        (Outcome.NOT_COMPARABLE, "no seed of the base has a result")
    ]
    assert found.exit_code() == 3


@pytest.mark.parametrize(("plugin", "measures"), [("metric jsd", {"jsd"}), ("dataset ring", {""}), ("loss it", set())])
def test_numbers_by_another_file_of_a_metric_or_data_set_are_not_comparable(plugin, measures):
    found = compare(side(case(JSD, ALL), plugins={plugin: "a"}), side(case(JSD, ALL), plugins={plugin: "b"}))
    assert {f.measure for f in found.findings if f.outcome is Outcome.NOT_COMPARABLE} == measures


@pytest.mark.parametrize(("now", "before", "total"), [(2, 7, 20), (1, 12, 44)])
def test_a_fall_of_just_the_floor_is_one_however_it_is_rounded(now, before, total):
    """5 of 20, 11 of 44: a quarter, and less by floating point."""
    assert before / total - now / total < 0.25 <= (before - now) / total
    base, new = (case([0.1] * total, [at < held for at in range(total)]) for held in (before, now))
    assert words(compare(side(base), side(new)))["all_modes"] is not Outcome.SAME


def test_where_different_seeds_lack_a_number_on_either_side_nothing_is_sure():
    base = case([None if at < 8 else JSD[at] for at in range(16)])
    new = case([None if at >= 8 else JSD[at] for at in range(16)])
    finding = one(compare(side(base), side(new)), "jsd")
    assert (finding.outcome, finding.effect) == (Outcome.UNSURE, None)


def test_the_medians_are_of_the_seeds_that_were_compared():
    base = case(JSD)
    new = case([*(JSD + 0.05), *[0.0] * 48])
    finding = one(compare(side(base), side(new)), "jsd")
    assert (finding.outcome, finding.seeds) == (Outcome.WORSE, (16, 16))
    assert finding.new == pytest.approx(np.median(JSD) + 0.05)


def test_a_count_that_is_no_longer_taken_is_gone():
    base = case(JSD, counts={"operations_per_step": 250.0, "peak_memory": 1.0})
    found = compare(side(base), side(case(JSD)))
    assert words(found)["operations_per_step"] is Outcome.GONE
    assert (found.exit_code(), found.exit_code(strict=True)) == (0, 4)


@pytest.mark.parametrize("count", [3, 8])
def test_coverage_that_falls_by_half_is_seen_beside_cases_that_scatter(count):
    random = np.random.default_rng(5)
    others = [[case(JSD, list(random.random(16) < 0.6), variant=f"v{n}") for n in range(count)] for _ in range(2)]
    found = compare(side(case(JSD, ALL), *others[0]), side(case(JSD, HALF), *others[1]))
    assert [f.outcome for f in found.findings if (f.case, f.measure) == ("ring8/minimax", "all_modes")] == [
        Outcome.WORSE
    ]


def test_a_metric_that_is_no_longer_there_is_said():
    fewer = {name: column for name, column in COLUMNS.items() if name != "all_modes"}
    found = compare(side(case(JSD, ALL, STEPS)), side(case(JSD), columns=fewer))
    assert words(found) == {
        "diverged": Outcome.SAME,
        "all_modes": Outcome.GONE,
        "held_all_modes_step": Outcome.GONE,
        "jsd": Outcome.SAME,
    }


def test_few_seeds_are_compared_all_with_all():
    """Eight pairs could never be significant beside others; eight against eight can."""
    base, new = case(JSD[:8]), case(JSD[:8] + 0.1)
    found = compare(side(base, *(case(JSD, variant=f"v{n}") for n in range(3))), side(new))
    assert one(found, "jsd").outcome is Outcome.WORSE


def test_seeds_that_only_one_side_has_are_compared_unpaired():
    found = compare(side(case(JSD)), side(case(AGAIN + 0.05, first=100)))
    assert one(found, "jsd").outcome is Outcome.WORSE
    assert one(found, "jsd").effect == pytest.approx(0.05, abs=0.02)


def test_the_smallest_visible_change_is_what_the_test_then_sees():
    """Of a share exactly; of a JSD 95 % of simulated shifts of that size are called worse (400 of them, 4 se)."""
    found = compare(side(case(JSD, ALL)), side(case(AGAIN, ALL)))
    fall = round(16 * one(found, "all_modes").visible)
    for lost, word in ((fall, Outcome.WORSE), (fall - 1, Outcome.UNSURE)):
        new = side(case(AGAIN, [at >= lost for at in range(16)]))
        assert words(compare(side(case(JSD, ALL)), new))["all_modes"] is word

    random = np.random.default_rng(1)
    seen = 0
    for _ in range(400):
        base, new = random.normal(0.1, 0.02, (2, 16))
        visible = one(compare(side(case(base)), side(case(new))), "jsd").visible
        seen += words(compare(side(case(base)), side(case(new + 0.0353))))["jsd"] is Outcome.WORSE
    assert visible == pytest.approx(0.0353, rel=0.5)
    assert seen / 400 == pytest.approx(0.95, abs=0.05)


def test_counts_are_compared_exactly():
    base = case(JSD, counts={"operations_per_step": 250.0, "peak_memory": 1e6})
    new = case(JSD, counts={"operations_per_step": 251.0, "peak_memory": 9e6})
    found = compare(side(base), side(new))
    assert words(found)["operations_per_step"] is Outcome.WORSE
    assert "peak_memory" not in words(found)
    assert found.exit_code() == 1
    assert words(compare(side(new), side(base)))["operations_per_step"] is Outcome.BETTER


def test_counts_of_another_torch_are_advice():
    base, new = (case(JSD, counts={"operations_per_step": count}) for count in (250.0, 251.0))
    found = compare(side(base, versions=VERSIONS | {"torch": "2.11.0"}), side(new))
    finding = one(found, "operations_per_step")
    assert (finding.outcome, finding.advice, found.exit_code()) == (Outcome.WORSE, True, 0)


def test_clocks_are_advice_and_of_one_device_only():
    def fast(rate: float):
        names = ("model_steps_per_second", "model_steps_per_second_low", "model_steps_per_second_high")
        return case(JSD, speed=dict(zip(names, (rate, rate * 0.98, rate * 1.02), strict=True)))

    found = compare(side(fast(1000.0)), side(fast(500.0)))
    finding = one(found, "model_steps_per_second")
    assert (finding.outcome, finding.effect, finding.advice) == (Outcome.WORSE, 0.5, True)
    assert found.exit_code(strict=True) == 0
    other = compare(side(fast(1000.0), device=DEVICE | {"cpu": "another"}), side(fast(500.0)))
    assert "model_steps_per_second" not in words(other)


def test_what_neither_side_says_is_not_judged():
    assert words(compare(side(case(JSD)), side(case(AGAIN)))).keys() == {"diverged", "jsd"}
