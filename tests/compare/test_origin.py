"""What a comparison says besides its verdicts: what else is different between the two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made import VERSIONS, case, side
from recorded import recorded

from ganbench.compare.sides.load import load
from ganbench.compare.verdicts.judge import compare
from ganbench.compare.verdicts.origin import notes

pytestmark = pytest.mark.usefixtures("away")


def said(base, new):
    return [line for line in notes(compare(base, new), "base", "new") if line.startswith("other training")]


def test_how_a_variant_is_trained_otherwise_is_said_and_nothing_of_what_is_the_same():
    base = load(str(recorded(Path("results")).path))
    assert base.variants["one"] == {"loss": {"name": "minimax"}}
    penalties = [{"name": "r1", "weight": 2.0}, {"name": "gp"}]
    other = {"loss": {"name": "minimax"}, "penalty": penalties, "average": 0.9}
    new = replace(base, variants={**base.variants, "one": other, "two": other})
    assert said(base, base) == []
    assert said(base, new) == [
        "other training of one: penalty.r1.weight none -> 2.0, penalty.gp none -> {}, average none -> 0.9"
    ]
    schedule = {"name": "linear", "final": 0.1}
    faded = other | {"penalty": [{"name": "r1", "weight": 2.0, "schedule": schedule}, {"name": "gp"}]}
    assert said(new, replace(new, variants=new.variants | {"one": faded})) == [
        "other training of one: penalty.r1.schedule.name none -> linear, penalty.r1.schedule.final none -> 0.1"
    ]


def test_a_baseline_that_does_not_say_how_it_was_trained_is_no_reason_to_say_that_it_was_otherwise():
    new = load(str(recorded(Path("results")).path))
    assert said(replace(new, variants={}), new) == []


def test_what_is_worse_on_another_machine_can_be_chance_that_stays():
    """Between two machines rounding is drawn once: a false alarm would be given each time."""
    base, worse = (side(case([low + 0.001 * seed for seed in range(16)])) for low in (0.1, 0.5))
    elsewhere = {"versions": {**VERSIONS, "torch": "0.0"}}

    def warned(new):
        return [line for line in notes(compare(base, new), "base", "new") if line.startswith("by chance 1 in 100")]

    assert compare(base, worse).exit_code() == 1
    assert not warned(worse)
    assert len(warned(replace(worse, **elsewhere))) == 1
    assert not warned(replace(base, **elsewhere))
