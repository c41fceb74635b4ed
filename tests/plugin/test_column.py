"""ganbench.plugin.column: what a column may say of itself, and that it is read back as it was written."""

from __future__ import annotations

import json

import pytest
from columns import SHIPPED

from ganbench.plugin.column import Column, OlderFormatError, check_columns, find
from ganbench.plugin.role import Thresholds

LIMITS = Thresholds(min_effect=0.1, converged=0.5, settled=1.0)


@pytest.mark.parametrize("column", SHIPPED.values(), ids=SHIPPED)
def test_a_column_is_read_back_from_json_as_it_was(column):
    assert Column.from_json(json.loads(json.dumps(column.to_json()))) == column


def test_columns_without_roles_are_of_an_older_ganbench():
    old = {"name": "jsd", "unit": "nats", "better": "lower", "summary": "median", "doc": ""}
    with pytest.raises(OlderFormatError, match="was made by an older ganbench"):
        Column.from_json(old)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"role": "clok"}, "'clok', did you mean 'clock'"),
        ({"role": "primary"}, "needs a better side"),
        ({"role": "primary", "better": "lower"}, "needs thresholds=Thresholds"),
        ({"role": "primary", "better": "lower", "summary": "share", "thresholds": LIMITS}, "the summary 'median'"),
        ({"thresholds": LIMITS}, "only a primary column has"),
        ({"role": "clock", "unit": "1/s", "better": "higher", "summary": "words"}, "is 'same' and not 'words'"),
        ({"role": "clock", "unit": "1/s", "summary": "same"}, "needs a better side and a unit of time"),
        ({"role": "clock", "unit": "nats", "better": "lower", "summary": "same"}, "a unit of time"),
        ({"role": "count"}, "is a count, one number of a cell"),
        ({"role": "memory", "summary": "none"}, "is a memory, one number of a cell"),
        ({"role": "low"}, "it needs of='NAME', the column that it is a part of"),
        ({"role": "low", "of": "other"}, "a part of, not 'other'"),
        ({"role": "low", "of": "it"}, "a part of, not 'it'"),
        ({"role": "floor", "of": "x", "summary": "words"}, "is 'floor', a number"),
        ({"role": "count", "unit": "ms", "better": "lower", "summary": "same"}, "a time is a clock"),
        ({"of": "x"}, "leave out of="),
        ({"role": "method", "of": "x"}, "its summary is 'words'"),
        ({"role": "covered", "summary": "share"}, "cannot be 'share'"),
    ],
)
def test_roles_that_contradict_a_column_are_refused(said, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        check_columns([Column("x", ""), Column("it", "", **said)])


def test_two_parts_of_one_kind_are_refused():
    with pytest.raises(ValueError, match="'x' has 2 columns of the role 'low': one is enough"):
        check_columns([Column("x", ""), Column("a", "", role="low", of="x"), Column("b", "", role="low", of="x")])


@pytest.mark.parametrize("said", [{"better": "lowr"}, {"summary": "mean"}, {"thresholds": {"min_effect": 1}}])
def test_a_word_that_a_column_does_not_know_is_refused_where_it_is_written(said):
    """A wrong word of one file would otherwise end each command, or be taken for its opposite."""
    with pytest.raises(ValueError, match=f"column 'x': {next(iter(said))} must be"):
        Column("x", "", **said)


def test_thresholds_must_make_sense():
    for wrong in ({"settled": 0.0}, {"min_effect": -1.0}, {"converged": float("inf")}, {"settled": "x"}):
        with pytest.raises(ValueError, match="thresholds must be finite"):
            Thresholds(**{"min_effect": 0.1, "converged": 0.5, "settled": 1.0} | wrong)


def test_of_several_columns_of_a_role_the_first_counts():
    first = Column("a", "", better="lower", role="primary", thresholds=LIMITS)
    columns = [Column("x", ""), first, Column("b", "", better="lower", role="primary", thresholds=LIMITS)]
    check_columns(columns)
    assert find(columns, "primary") is first
    assert find(columns, "clock") is None


def test_two_lines_of_a_title_are_what_stands_above_and_under():
    assert Column("x_y", "").label == "x y"
    assert Column("x_y", "", title="rate\nall seeds").label == "rate"
