"""ganbench.report.figures: every number with the ends of its interval that are known, at length where there is room."""

from __future__ import annotations

import pandas as pd
import pytest

from ganbench.record.tables.tables import table
from ganbench.report.figures import SIGNS, estimates, figures, interval

SIGN = SIGNS[False]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.09, None, " [0.09, –]"),
        (None, 0.2, " [–, 0.20]"),
        (0.09, 0.2, " [0.09, 0.20]"),
        (0.09, float("inf"), " [0.09, inf]"),
        (None, None, " [–]"),
    ],
)
def test_of_an_interval_each_end_that_there_is_is_shown(low, high, text):
    assert interval(low, high, "{:.2f}".format, SIGN) == text


def test_in_the_table_of_a_run_too():
    frame = pd.DataFrame({"jsd": [0.102, 0.2, 0.3], "jsd_low": [0.09, None, None], "jsd_high": [None, 0.3, None]})
    cells = estimates(frame, "jsd", ["n/a"] * 3, SIGN)
    assert [number + ends for number, ends in cells] == ["0.102 [0.090, –]", "0.200 [–, 0.300]", "0.300 [–]"]


def test_both_speeds_have_their_slowest_and_fastest_moment_at_length_and_not_in_short(story):
    told = story()
    for cell in told.cells:
        told.run(cell)
    found = {one.name: one for one in figures(table(told.record), told.record.columns, SIGN)}
    speed, one = found["model_steps_per_second"], found["model_steps_per_second_one"]
    assert speed.cells[1] == ("12.3k", " [12.0k, 13.0k]")
    assert one.cells[1] == ("988", " [900, 1.00k]")
    assert one.shorter.cells[1] == ("988", "")
    assert not [name for name in found if name.endswith(("_low", "_high"))]


def test_what_a_reader_looks_for_first_comes_first(story):
    told = story()
    told.columns.sort(key=lambda one: one["role"], reverse=True)
    for cell in told.cells:
        told.run(cell)
    names = [one.name for one in figures(table(told.record), told.record.columns, SIGN)]
    speeds = ["model_steps_per_second", "model_steps_per_second_one"]
    assert names[:6] == ["jsd", "verdicts", "modes_covered", "all_modes", *speeds]
    assert names[6:8] == ["held_all_modes_step", "first_all_modes_step"]
    assert {*names[8:]} == {"high_quality", "reverse_kl"}
