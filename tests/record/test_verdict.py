"""ganbench.record.verdict: each failure planted, in samples and in curves, and what must never be called one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from columns import SHIPPED
from hypothesis import given
from hypothesis import strategies as st

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsd
from ganbench.metrics.modes import count_modes
from ganbench.metrics.spread import spread
from ganbench.plugin.column import Column
from ganbench.plugin.role import Thresholds
from ganbench.record.verdict import CONSTANT, HELD, RANGE, verdict

COLUMNS = tuple(SHIPPED.values())
CONVERGED, SETTLED = SHIPPED["jsd"].thresholds.converged, SHIPPED["jsd"].thresholds.settled
ANGLES = np.arange(8) * 2 * math.pi / 8
RING = Mixture(2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), 0.02)
WIDE_RING = Mixture(2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), 0.1)
GRID = Mixture([[0.7071 * x, 0.7071 * y] for x in range(-2, 3) for y in range(-2, 3)], 0.01768)
LINE = Mixture([[4.0]], 0.5)
OVERLAPPING = Mixture([[0.0, 0.0], [1.0, 0.0], [0.5, 0.5]], 1.0, [0.6, 0.3, 0.1])
UNEQUAL = Mixture([[-2.0, 0.0], [2.0, 0.0]], 0.1, [0.95, 0.05])
EVEN = Mixture([[-2.0, 0.0], [2.0, 0.0]], 0.1)


def row(jsd=0.45, covered=8, total=8, **more):
    low, high = (None, None) if jsd is None else (max(jsd - 0.005, 0.0), jsd + 0.005)
    return {"jsd": jsd, "jsd_low": low, "jsd_high": high, "modes_covered": covered, "modes_total": total} | more


def curve(*jsds, covered=8, **more):
    covered = covered if isinstance(covered, list) else [covered] * len(jsds)
    return [row(value, count, **more) for value, count in zip(jsds, covered, strict=True)]


def of(rows, diverged=False):
    return verdict(rows, COLUMNS, diverged=diverged).word


def measured(samples, mixture):
    """The row that the metrics jsd and modes make of samples."""
    estimate, modes, apart = jsd(samples, mixture), count_modes(samples, mixture), spread(samples, mixture)
    return {
        "jsd": estimate.value,
        "jsd_low": estimate.low,
        "jsd_high": estimate.high,
        "modes_covered": modes.covered,
        "modes_total": modes.total,
        "largest_mode": modes.largest,
        "spread": apart.spread,
        "offset": apart.offset,
    }


def drawn(mixture, modes=None, n=10_000, scale=1.0):
    """Samples of the mixture, or of some of its modes only, with their std scaled."""
    random = np.random.default_rng(0)
    weights = np.zeros(mixture.modes)
    kept = range(mixture.modes) if modes is None else modes
    weights[list(kept)] = mixture.weights[list(kept)]
    mode = random.choice(mixture.modes, n, p=weights / weights.sum())
    noise = random.standard_normal((n, mixture.dimension)) * mixture.std[mode, None] * scale
    return (mixture.means[mode] + noise).astype(np.float32).astype(np.float64)


# Planted in samples: what the metrics read, the verdict understands.


@pytest.mark.parametrize("mixture", [RING, WIDE_RING, GRID, LINE, OVERLAPPING, UNEQUAL, EVEN])
def test_data_itself_has_converged_whatever_its_modes(mixture):
    """A single mode, modes that overlap and a mode with nearly all the mass are never called collapsed or lost."""
    assert of([measured(drawn(mixture), mixture)] * HELD) == "converged"


@pytest.mark.parametrize("mixture", [RING, WIDE_RING, GRID, EVEN])
def test_one_of_several_modes_is_a_collapse(mixture):
    word, reason = verdict([measured(drawn(mixture, [1]), mixture)] * HELD, COLUMNS, diverged=False)
    assert word == "collapsed"
    assert reason.startswith("one mode: 100%")


@pytest.mark.parametrize("mixture", [RING, WIDE_RING, GRID, LINE, OVERLAPPING, UNEQUAL, EVEN])
def test_one_point_is_a_collapse_on_all_data(mixture):
    points = np.full((10_000, mixture.dimension), 0.3) + 1e-4 * np.random.default_rng(0).standard_normal(
        (10_000, mixture.dimension)
    )
    assert of([measured(points, mixture)] * HELD) == "collapsed"


def test_mode_that_holds_nearly_all_data_is_no_collapse_but_the_other_is_lost():
    """JSD 0.018: the JSD alone would call it converged."""
    assert of([measured(drawn(UNEQUAL, [0]), UNEQUAL)] * HELD) == "modes lost"
    assert of([measured(drawn(UNEQUAL, [1]), UNEQUAL)] * HELD) == "collapsed"


@pytest.mark.parametrize(("mixture", "kept"), [(RING, range(7)), (RING, range(2)), (GRID, range(20)), (GRID, range(2))])
def test_some_modes_left_are_modes_lost(mixture, kept):
    word, reason = verdict([measured(drawn(mixture, kept), mixture)] * HELD, COLUMNS, diverged=False)
    assert word == "modes lost"
    assert reason.startswith(f"{len(kept)} of {mixture.modes} modes")


@pytest.mark.parametrize(("mixture", "scale"), [(RING, 0.3), (RING, 3.0), (GRID, 0.3), (LINE, 0.3), (WIDE_RING, 0.4)])
def test_all_modes_too_narrow_or_too_wide_are_the_wrong_shape(mixture, scale):
    assert of([measured(drawn(mixture, scale=scale), mixture)] * HELD) == "wrong shape"


def test_samples_out_of_range_or_not_finite_have_diverged_even_if_the_loss_has_not():
    away = drawn(RING) + 100.0
    assert of([measured(away, RING)]) == "diverged"
    assert of([measured(drawn(RING) * 50, RING)]) == "diverged"
    assert of([measured(np.full((10_000, 2), np.nan), RING)]) == "diverged"
    assert of([measured(np.where(np.arange(10_000)[:, None] < 100, np.nan, drawn(RING)), RING)]) == "converged"


# Rule by rule.


def test_status_comes_before_all():
    assert of(curve(0.01, 0.01, 0.01, 0.01, 0.01), diverged=True) == "diverged"
    assert of([], diverged=True) == "diverged"


@pytest.mark.parametrize(
    "said", [{"spread": RANGE + 0.1}, {"offset": RANGE + 0.1}, {"offset": "inf"}, {"spread": None}]
)
def test_out_of_range_is_diverged(said):
    assert of([row(**said)]) == "diverged"


def test_range_itself_and_data_without_modes_are_not():
    assert of([row(spread=RANGE, offset=RANGE)]) == "wrong shape"
    assert of([row(covered=None, total=None, spread=None, offset=None)]) == ""


def test_constant_discriminator_is_a_failure_only_where_there_is_something_to_tell_apart():
    assert of(curve(0.45, 0.45, 0.45, 0.45, 0.45, d_spread=0.0)) == "discriminator collapsed"
    assert of(curve(0.45, 0.45, 0.45, 0.45, 0.45, d_spread=2 * CONSTANT)) == "wrong shape"
    at_equilibrium = curve(0.01, 0.01, 0.01, 0.01, 0.01, d_spread=0.0)
    assert of(at_equilibrium) == "converged"
    # The interval reaches down to what counts as converged: not clear of it.
    assert of(curve(0.05, 0.05, 0.05, 0.05, 0.054, d_spread=0.0)) != "discriminator collapsed"


def test_dead_discriminator_is_said_before_the_collapse_it_causes():
    assert of([row(0.5, 1, largest_mode=1.0, spread=0.01, d_spread=0.0)]) == "discriminator collapsed"
    assert of([row(0.5, 1, largest_mode=1.0, spread=0.01, d_spread=1.0)]) == "collapsed"


def test_collapse_needs_that_no_two_modes_are_covered():
    assert of([row(0.5, 2, largest_mode=0.97, spread=0.02)]) == "modes lost"
    assert of([row(0.5, 1, largest_mode=0.94, spread=0.04)]) == "modes lost"


def test_converged_must_hold_for_five_evaluations():
    assert of(curve(0.6, 0.04, 0.04, 0.05, 0.04, 0.04)) == "converged"
    assert of(curve(0.6, 0.6, 0.04, 0.05, 0.04, 0.04)) == "improving", "for four only, without a break"
    assert of(curve(0.04, 0.04, 0.06, 0.04, 0.04)) == "oscillating", "with a break"
    assert of(curve(0.04, 0.04, 0.05, 0.04, 0.06)) == "oscillating", "and gone again"
    assert of(curve(*[CONVERGED] * 5)) == "converged"


def test_steady_fall_or_rise_is_improvement_and_one_inversion_is_noise():
    assert of(curve(0.6, 0.5, 0.4, 0.3, 0.2)) == "improving"
    assert of(curve(0.6, 0.5, 0.52, 0.3, 0.2)) == "improving"
    assert of(curve(0.6, 0.4, 0.52, 0.2, 0.3)) == "oscillating"
    assert of(curve(0.2, 0.3, 0.4, 0.5, 0.6)) == "oscillating", "getting worse is no improvement"
    assert of(curve(0.454, 0.453, 0.452, 0.451, 0.450)) == "wrong shape", "a fall within the intervals is none"
    assert of(curve(*[0.45] * 5, covered=[2, 3, 4, 4, 6])) == "improving"


def test_falling_by_chance_is_rare():
    """Of 120 orders of five values 5 have at most one inversion."""
    from itertools import permutations

    words = [of(curve(*(0.45 + place / 50 for place in order))) for order in permutations(range(5))]
    assert words.count("improving") == 5


def test_jsd_or_coverage_that_swings_is_oscillation():
    apart = SETTLED + 0.011
    assert of(curve(0.4, 0.4 + apart, 0.4, 0.4, 0.4)) == "oscillating"
    assert of(curve(0.4, 0.4 + SETTLED, 0.4, 0.4, 0.4)) == "wrong shape"
    assert of(curve(*[0.45] * 5, covered=[6, 3, 6, 4, 6])) == "oscillating"
    assert of(curve(*[0.45] * 5, covered=[8, 8, 7, 8, 8])) == "oscillating", "all modes, but not held"


def test_a_mode_that_flickers_is_settled():
    assert of(curve(*[0.45] * 5, covered=[6, 5, 6, 5, 6])) == "modes lost"
    assert of([row(0.6, covered, 25) for covered in (12, 9, 11, 10, 12)]) == "modes lost"
    assert of([row(0.6, covered, 25) for covered in (12, 8, 11, 10, 12)]) == "oscillating"


def test_settled_with_all_modes_is_the_wrong_shape_and_the_reason_says_how_wrong():
    word, reason = verdict(curve(0.7, 0.45, 0.46, 0.44, 0.45, 0.46), COLUMNS, diverged=False)
    assert (word, reason) == ("wrong shape", "all 8 modes, JSD 0.440 to 0.460 over the last 5 evaluations")


def test_what_has_settled_without_a_count_of_modes_has_no_word():
    """A generator that lost one of 8 modes reads 0.045: without a count, neither converged nor of the wrong shape."""
    for value in (0.045, 0.3):
        word, reason = verdict(curve(*[value] * 5, covered=None), COLUMNS, diverged=False)
        assert (word, reason) == ("", f"JSD {value:.3f} over the last 5 evaluations; no modes were counted")
    assert of(curve(0.6, 0.5, 0.4, 0.3, 0.2, covered=None)) == "improving"
    assert of(curve(0.3, 0.5, 0.3, 0.5, 0.3, covered=None)) == "oscillating"


def test_modes_that_came_and_went_have_not_risen():
    """From 8 by 6 to 8: one pair out of order, as if it rose, but it ends where it began."""
    found = verdict(curve(0.48, 0.49, 0.44, 0.465, 0.433, covered=[8, 6, 8, 8, 8]), COLUMNS, diverged=False)
    assert found == ("oscillating", "6 to 8 of 8 modes over the last 5 evaluations")


def test_few_evaluations_are_judged_by_the_last_and_the_reason_says_so():
    for rows, word in (
        (curve(0.1, 0.01), "converged"),
        (curve(0.6, 0.45), "wrong shape"),
        (curve(0.6, 0.4, 0.3, covered=6), "modes lost"),
    ):
        found = verdict(rows, COLUMNS, diverged=False)
        assert found.word == word
        assert found.reason.endswith(f"{len(rows)} of 5 evaluations: whether it holds cannot be judged")


def test_lower_bound_never_proves_convergence_but_can_prove_failure():
    found = verdict([row(0.02, None, None, jsd_method="lower bound")], COLUMNS, diverged=False)
    assert found == ("", "JSD is only known to be at least 0.020")
    assert of([row(0.3, 10, 10, jsd_method="lower bound")]) == "wrong shape"
    bound = row(0.02, 9, 10, jsd_method="lower bound") | {"jsd_low": 0.0, "jsd_high": None}
    assert of([bound]) == "modes lost", "a bound of 0 is no sign that nothing can be told apart"


def test_without_a_jsd_nothing_is_said():
    assert verdict([], COLUMNS, diverged=False) == ("", "")
    assert of([{"modes_covered": 8}]) == ""
    assert of([row(0.3), row(None)]) == ""


NUMBER = st.none() | st.floats(0, 0.6931)
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "jsd": NUMBER,
            "jsd_low": NUMBER,
            "jsd_high": NUMBER,
            "modes_covered": st.none() | st.integers(0, 8),
            "modes_total": st.none() | st.just(8),
            "largest_mode": st.none() | st.floats(0, 1),
            "spread": st.none() | st.floats(0, 1e30) | st.just("inf"),
            "offset": st.none() | st.floats(0, 1e30),
            "d_spread": st.none() | st.floats(0, 10),
        },
    ),
    max_size=8,
)
WORDS = ("converged", "modes lost", "collapsed", "discriminator collapsed", "oscillating", "diverged")
WORDS += ("wrong shape", "improving")


@given(ROWS, st.booleans())
def test_every_curve_has_one_of_the_words_with_a_reason_or_none(rows, diverged):
    word, reason = verdict(rows, COLUMNS, diverged=diverged)
    assert word in ("", *WORDS)
    assert reason or not word
    if not diverged and (not rows or rows[-1].get("jsd") is None):
        assert word in ("", "diverged")


def test_primary_where_higher_is_better_is_judged_by_its_own_thresholds_the_other_way_round():
    limits = Thresholds(min_effect=1.0, converged=80.0, settled=10.0, best=100.0)
    score = Column("score", "", better="higher", role="primary", thresholds=limits)
    columns = [score, *(one for one in COLUMNS if one.name.startswith("modes"))]

    def judged(*values, modes=8):
        return verdict(
            [{"score": v, "modes_covered": modes, "modes_total": 8} for v in values], columns, diverged=False
        )

    assert judged(*[85.0] * 5) == ("converged", "all 8 modes, score 85.0 over the last 5 evaluations")
    assert judged(*[85.0] * 5, modes=7).word == "modes lost"
    assert judged(10.0, 20.0, 30.0, 40.0, 50.0) == (
        "improving",
        "score rose from 10.0 to 50.0 over the last 5 evaluations",
    )
    assert judged(50.0, 40.0, 30.0, 20.0, 10.0).word == "oscillating"
    assert judged(70.0, 75.0, 70.0, 75.0, 70.0).reason == "all 8 modes, score 70.0 to 75.0 over the last 5 evaluations"
    assert judged(85.0, 79.0, 85.0, 79.0, 79.0).reason.endswith(", at least 80.0 at 2 of them")


def test_without_a_primary_column_only_diverging_is_told():
    columns = [one for one in COLUMNS if one.role != "primary"]
    assert verdict([row(0.3)], columns, diverged=False) == ("", "no primary number")
    assert verdict([row(0.3, spread=2 * RANGE)], columns, diverged=False).word == "diverged"


def test_modes_without_their_total_are_not_counted():
    """Three of nobody knows how many modes must not read as all of them."""
    columns = [column for column in COLUMNS if column.role != "total"]
    assert verdict(curve(*[0.01] * HELD, covered=3), columns, diverged=False).word == ""
