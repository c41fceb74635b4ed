"""ganbench.data.phases: which step draws from what, and what is no valid change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.data.mixture import Mixture
from ganbench.data.phases import at_step, check_phases, first_step, phases, spans
from ganbench.data.remarks import remarks
from ganbench.data.soundness import check_soundness


def changing(*shares, means=None):
    """Data that change at these shares of the steps; the mode of phase k is at k."""
    made = [Mixture([[float(k), 0.0]], 0.1) for k in range(len(shares) + 1)]
    made[-1].phases = tuple(zip((0.0, *shares), made, strict=True))
    return made


@pytest.mark.parametrize(
    ("share", "steps", "first"),
    [(0.5, 10, 5), (0.5, 7, 4), (0.3, 10, 3), (0.1, 30, 3), (0.7, 10, 7), (0.0, 5, 0), (1 / 3, 3, 1), (0.999, 10, 10)],
)
def test_a_phase_begins_with_the_first_step_at_or_after_its_share(share, steps, first):
    assert first_step(share, steps) == first


def test_data_without_phases_are_the_same_at_every_step():
    data = Mixture([[0.0, 0.0]], 0.1)
    assert phases(data) == ((0.0, data),)
    assert [*spans(data, 130, 64, 100)] == [(range(64), data)]
    assert at_step(data, 7, 10) is data


@given(
    st.lists(st.floats(0.01, 0.99), max_size=3, unique=True).map(sorted),
    st.integers(1, 300),
    st.integers(0, 5),
    st.integers(1, 64),
)
def test_spans_say_of_each_step_what_at_step_says(shares, steps, block, count):
    """Every step of a block is in exactly one span, in order; also steps after the end of the training."""
    data = changing(*shares)[-1]
    first = block * count
    found = [(first + step, own) for part, own in spans(data, first, count, steps) for step in part]
    assert [step for step, _ in found] == [*range(first, first + count)]
    assert all(own is at_step(data, step, steps) for step, own in found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a, b: 5, "phases must be pairs of a share of the steps and a distribution, not 5"),
        (lambda a, b: (("x", a), (0.5, b)), "phases must be pairs of a share of the steps and a distribution"),
        (lambda a, b: ((0.1, a), (0.5, b)), "phases must begin at rising shares of the steps, from 0 to below 1, not "),
        (lambda a, b: ((0.0, a), (1.0, b)), "phases must begin at rising shares of the steps"),
        (lambda a, b: ((0.0, a), (0.0, b)), "phases must begin at rising shares of the steps"),
        (lambda a, b: ((0.0, b), (0.5, a)), "phases must end with the distribution itself"),
        (lambda a, b: (), "phases must begin at rising shares of the steps"),
        (lambda a, b: ((0.0, Mixture([[0.0]], 1.0)), (0.5, b)), "phases must have one shape: at 0 it is"),
    ],
)
def test_what_is_no_change_is_refused_in_one_line(change, words):
    before, after = changing(0.5)
    after.phases = change(before, after)
    for check in (check_phases, check_soundness):
        with pytest.raises(ValueError, match=r"^phases must") as problem:
            check(after)
        assert str(problem.value).startswith(words)
        assert "\n" not in str(problem.value)


def test_an_earlier_phase_is_checked_as_the_last_is():
    before, after = changing(0.5)
    before.sample = lambda n, generator: before.means
    with pytest.raises(ValueError, match="must return a float32 tensor"):
        check_soundness(after)


def test_that_the_data_change_is_said():
    assert "the data change at 0.25, 0.5 of the training's steps: references have the last phase" in remarks(
        changing(0.25, 0.5)[-1]
    )
    assert remarks(changing()[-1]) == ()
