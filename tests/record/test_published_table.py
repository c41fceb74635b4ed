"""What a paper published beside ours: which word is said, and why two numbers are not comparable."""

from __future__ import annotations

import pytest
from columns import column

from ganbench.record.events import CellEnded, CellStarted, Evaluated, RunFinished, SeedOutcome, SeedRow
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.record.tables.published import published

COLUMNS = [column(name) for name in ("jsd", "all_modes", "modes_covered", "modes_total")]


def record(rows, jsds=(0.1, 0.2, 0.3, 0.4), *, ended=True):
    """A run of one row; ``jsds``: of each seed, None where it has no number; all modes where it is below 0.35."""
    seeds = range(len(jsds))
    cell = {"id": "c", "dataset": "ring8", "variant": "plain", "seeds": [*seeds], "steps": 50, "every": 50}
    cell |= {"reference": False, "family": "plain", "precision": "float32"}
    values = [{} if jsd is None else {"jsd": jsd, "all_modes": jsd < 0.35, "modes_total": 8} for jsd in jsds]
    events = [CellStarted("c", "eager", "", len(jsds))]
    events.append(Evaluated("c", 50, tuple(SeedRow(seed, Status.DONE, values[seed]) for seed in seeds)))
    events += [CellEnded("c", tuple(SeedOutcome(seed, Status.DONE, 50) for seed in seeds))] if ended else []
    about = {
        "source": "a paper",
        "rows": [{"dataset": "ring8", "variant": "plain", "decimals": 2, **row} for row in rows],
    }
    return Record.replay(
        {"run": "r", "columns": COLUMNS, "cells": [cell], "published": about}, [*events, RunFinished()]
    )


def one(row, *args, **kwargs):
    (found,) = published(record([{"column": "jsd", **row}], *args, **kwargs)).to_dict("records")
    return found


def test_ours_is_the_mean_and_both_have_their_intervals():
    found = one({"value": 0.3, "se": 0.05, "trials": 10, "called": "JS"})
    assert (found["ours"], found["seeds"], found["called"], found["trials"]) == (pytest.approx(0.25), 4, "JS", 10)
    assert (found["ours_low"], found["ours_high"]) == pytest.approx((0.0446, 0.4554), abs=1e-4)
    assert (found["published_low"], found["published_high"]) == pytest.approx((0.1869, 0.4131), abs=1e-4)
    assert (found["word"], found["difference"]) == ("agrees", pytest.approx(-0.05))


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"value": 0.9, "se": 0.05, "trials": 10}, "differs"),
        ({"value": 0.9, "sd": 1.0, "trials": 4}, "agrees"),
        ({"value": 0.9, "sd": 0.1, "trials": 400}, "differs"),
        ({"value": 0.25, "se": 0.0}, "agrees"),
        ({"value": 0.9, "se": 0.0}, "differs"),
        ({"column": "modes_total", "value": 8.0, "se": 0.0}, "agrees"),
        ({"column": "modes_total", "value": 7.0, "se": 0.0}, "differs"),
        ({"column": "all_modes", "value": 0.79, "trials": 200}, "agrees"),
        ({"column": "all_modes", "value": 0.05, "trials": 200}, "differs"),
    ],
)
def test_the_word_follows_from_both_intervals(row, word):
    assert one(row)["word"] == word


def test_of_exact_numbers_what_rounds_to_the_papers_agrees():
    """All seeds read 0.255: 0.26 and 0.25 were rounded from what may be that; 0.27 was not."""
    for value, word in ((0.26, "agrees"), (0.25, "agrees"), (0.27, "differs"), (0.24, "differs")):
        assert one({"value": value, "se": 0.0}, [0.255] * 3)["word"] == word


@pytest.mark.parametrize(
    ("row", "jsds", "why"),
    [
        ({"value": 0.2}, [0.1, 0.2], "the paper gives no spread"),
        ({"column": "all_modes", "value": 0.2}, [0.1, 0.2], "the paper gives no spread"),
        ({"value": 0.2, "se": 0.1, "unlike": "in bits"}, [0.1, 0.2], "in bits"),
        ({"value": 0.2, "se": 0.1}, [0.1], "a mean needs 2 seeds for an interval"),
        ({"value": 0.2, "se": 0.1}, [None, None], "no seed has a number"),
        ({"value": 0.2, "se": 0.1}, [0.1, None, 0.2], "1 of 3 seeds have no number, and a mean needs all"),
        ({"value": 0.2, "se": 0.1, "variant": "other"}, [0.1, 0.2], "this run has no such row"),
        ({"value": 0.2, "se": 0.1, "column": "kl"}, [0.1, 0.2], "this run has no such row"),
    ],
)
def test_what_cannot_be_compared_says_why(row, jsds, why):
    found = one(row, jsds)
    assert (found["word"], found["why"]) == ("not comparable", why)
    assert found["published"] == row["value"]


def test_a_row_that_has_not_ended_is_not_compared():
    assert one({"value": 0.2, "se": 0.1}, ended=False)["why"] == "the row has not ended"


def test_a_run_whose_suite_says_nothing_has_an_empty_table():
    found = record([{"column": "jsd", "value": 1.0}])
    plain = Record(found.name, found.columns, found.cells, found.finished)
    assert published(plain).empty
