"""What a comparison says besides its verdicts: what else is different between the two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
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


def test_a_baseline_that_does_not_say_how_it_was_trained_is_no_reason_to_say_that_it_was_otherwise():
    new = load(str(recorded(Path("results")).path))
    assert said(replace(new, variants={}), new) == []
