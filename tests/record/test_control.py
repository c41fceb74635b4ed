"""ganbench.record.control: when a row counts as failing or converging, and what is said where that is not known."""

from __future__ import annotations

import pytest
from columns import column

from ganbench.record.control import Control, as_object, control, controls
from ganbench.record.events import CellEnded, CellStarted, Evaluated, RunFinished, SeedOutcome, SeedRow
from ganbench.record.record import Record
from ganbench.record.status import Status

COLUMNS = [column(name) for name in ("jsd", "jsd_low", "jsd_high", "modes_covered", "modes_total")]
STEPS = (10, 20, 30, 40, 50)
#: What the metrics read of a seed at each evaluation, by how it ends.
READS = {
    "converged": {"jsd": 0.01, "modes_covered": 8, "modes_total": 8},
    "improving": None,
    "modes lost": {"jsd": 0.4, "modes_covered": 3, "modes_total": 8},
    "no modes": {"jsd": 0.01, "modes_covered": None, "modes_total": None},
    "diverged": {"jsd": 0.01, "modes_covered": 8, "modes_total": 8},
    "error": {"jsd": 0.01, "modes_covered": 8, "modes_total": 8},
}


def record(ends, expect, *, finished=True, ended=True):
    """A run of one row; ``ends``: how each seed ends."""
    seeds = range(len(ends))
    cell = {"id": "c", "dataset": "ring8", "variant": "plain", "seeds": [*seeds], "steps": 50, "every": 10}
    cell |= {"reference": False, "family": "plain", "precision": "float32", "expect": expect}
    events = [CellStarted("c", "eager", "", len(ends))]
    for at, step in enumerate(STEPS):
        improving = {"jsd": 0.5 - 0.1 * at, "modes_covered": 8, "modes_total": 8}
        rows = [SeedRow(seed, Status.DONE, READS[end] or improving) for seed, end in zip(seeds, ends, strict=True)]
        events.append(Evaluated("c", step, tuple(rows)))
    status = [Status(end) if end in [*Status] else Status.DONE for end in ends]
    outcomes = tuple(SeedOutcome(seed, status[seed], 50) for seed in seeds)
    events += [CellEnded("c", outcomes)] if ended else []
    events += [RunFinished()] if finished else []
    return Record.replay({"run": "r", "columns": COLUMNS, "cells": [cell]}, events)


def of(ends, expect):
    (found,) = controls(record(ends, expect))
    return found


@pytest.mark.parametrize(("seeds", "most"), [(1, 0), (3, 0), (4, 1), (8, 2), (16, 4), (17, 4)])
def test_a_row_fails_with_a_quarter_converged_and_not_with_one_more(seeds, most):
    for count, right in ((most, True), (most + 1, False)):
        ends = ["converged"] * count + ["modes lost"] * (seeds - count)
        assert of(ends, "fails").as_expected is right
        # The mirror image: as many that did not converge.
        ends = ["modes lost"] * count + ["converged"] * (seeds - count)
        assert of(ends, "converges").as_expected is right


def test_every_count_between_is_neither():
    """With 16 seeds: 0 to 4 converged is failing, 12 to 16 converging, and 5 to 11 breaks either expectation."""
    for count in range(17):
        ends = ["converged"] * count + ["modes lost"] * (16 - count)
        assert of(ends, "fails").as_expected is (count <= 4)
        assert of(ends, "converges").as_expected is (count >= 12)


def test_a_seed_that_diverged_or_improves_has_not_converged():
    assert of(["diverged"] * 8 + ["improving"] * 8, "fails").as_expected is True
    assert of(["diverged"] * 8 + ["improving"] * 8, "converges").as_expected is False


@pytest.mark.parametrize("blank", ["error", "no modes"])
def test_seeds_without_a_verdict_decide_nothing_and_hide_nothing(blank):
    """Where it is so however they are taken, it is known; else it is not, and the run is void."""
    assert of([blank] * 4 + ["modes lost"] * 12, "fails").as_expected is True
    assert of([blank] * 5 + ["modes lost"] * 11, "fails").as_expected is None
    assert of(["converged"] * 5 + [blank] * 11, "fails").as_expected is False
    assert of([blank] * 4 + ["converged"] * 12, "converges").as_expected is True
    assert of([blank] * 5 + ["converged"] * 11, "converges").as_expected is None
    assert of(["modes lost"] * 5 + [blank] * 11, "converges").as_expected is False
    assert of([blank] * 16, "fails").void != ""


def test_the_line_says_what_was_expected_and_what_happened():
    assert of(["modes lost"] * 16, "fails").void == ""
    assert of(["converged"] * 9 + ["modes lost"] * 7, "fails").void == (
        "the run is void: ring8 plain is expected to fail (at most 4 of 16 seeds converge), and 9 converged"
    )
    assert of(["converged"] * 3 + ["modes lost"] * 5, "converges").void == (
        "the run is void: ring8 plain is expected to converge (at least 6 of 8 seeds converge), and 3 converged"
    )
    assert of(["converged", "error", "no modes", "modes lost"], "fails").void == (
        "the run is void: ring8 plain is expected to fail (at most 1 of 4 seeds converge), and whether it does is not "
        "known: 1 converged, 1 without a result (error), 1 without a verdict (seed 2: JSD 0.010 over the last 5 "
        "evaluations; no modes were counted)"
    )


def test_of_a_run_that_has_not_finished_only_what_is_certain_is_said():
    """A cell that has not ended may end either way; one that has is judged."""
    lost = ["modes lost"] * 8
    assert controls(record(lost, "fails", finished=False, ended=False)) == ()
    assert [one.void for one in controls(record(lost, "fails", finished=False))] == [""]
    assert controls(record(lost, "converges", finished=False))[0].void != ""


def test_a_row_of_which_nothing_is_expected_is_no_control():
    found = record(["converged"], None)
    assert control(found.cells[0], found.columns) is None
    assert controls(found) == ()
    assert as_object(()) == {}


def test_a_program_reads_what_a_person_does():
    one = Control("ring8", "plain", "fails", 4, 4, {})
    assert as_object([one]) == {
        "controls": [
            {"dataset": "ring8", "variant": "plain", "expect": "fails", "seeds": 4, "converged": 4, "unjudged": {}}
            | {"as_expected": False, "void": one.void}
        ]
    }
