"""``expect`` in a suite: what is read, what is written out again, and each mistake at its place."""

from __future__ import annotations

import pytest

from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import plan

SUITE = """
suite: demo
datasets: {one: ring, two: grid}
references: []
variants: {a: {loss: minimax}, b: {loss: minimax, expect: EXPECT}}
metrics: [jsd, modes]
"""


def read(expect, registry, text=SUITE):
    return parse(text.replace("EXPECT", expect), registry, "s.yaml")


@pytest.mark.parametrize(
    ("expect", "expected", "written"),
    [
        ("fails", {"one": "fails", "two": "fails"}, "fails"),
        ("{one: fails, two: fails}", {"one": "fails", "two": "fails"}, "fails"),
        ("{two: converges}", {"two": "converges"}, {"two": "converges"}),
        ("{one: fails, two: converges}", {"one": "fails", "two": "converges"}, {"one": "fails", "two": "converges"}),
        ("null", {}, None),
    ],
)
def test_a_word_holds_on_all_data_sets_and_a_mapping_on_those_it_names(expect, expected, written, shipped):
    suite = read(expect, shipped)
    assert suite.expect.get("b", {}) == expected
    assert {cell.dataset: cell.expect for cell in plan(suite) if cell.variant == "b" and cell.expect} == expected
    assert suite.resolved()["variants"]["b"].get("expect") == written
    assert parse(suite.to_yaml(), shipped).expect == suite.expect


def test_it_is_no_part_of_what_decides_numbers(shipped):
    with_it, without = (plan(read(expect, shipped)) for expect in ("fails", "null"))
    assert [cell.id for cell in with_it] == [cell.id for cell in without]


SHAPE = "must be fails or converges, or a mapping of data sets to one of these"


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        ("fail", f"5:59 variants.b.expect: {SHAPE}, not 'fail': write fails"),
        ("xfail", f"5:59 variants.b.expect: {SHAPE}, not 'xfail': write fails"),
        ("converge", f"5:59 variants.b.expect: {SHAPE}, not 'converge': write converges"),
        ("maybe", f"5:59 variants.b.expect: {SHAPE}, not 'maybe'"),
        ("true", f"5:59 variants.b.expect: {SHAPE}, not true"),
        ("{one: fail}", "5:65 variants.b.expect.one: must be one of 'fails', 'converges', not 'fail': write fails"),
        ("{onee: fails}", "5:60 variants.b.expect.onee: the suite has no data set 'onee', did you mean 'one'?"),
    ],
)
def test_a_mistake_is_said_at_its_place(expect, line, shipped):
    with pytest.raises(SuiteError) as problem:
        read(expect, shipped)
    assert str(problem.value) == f"s.yaml:{line}"


def test_what_could_never_be_judged_is_a_mistake(shipped):
    text = SUITE.replace("[jsd, modes]", "[throughput]")
    with pytest.raises(SuiteError) as problem:
        read("fails", shipped, text)
    assert str(problem.value) == (
        "s.yaml:5:51 variants.b.expect: cannot be judged: no metric of the suite gives a primary number or a count of "
        "modes"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SUITE + "expect: fails\n", "7:1 expect: unknown key 'expect', it belongs in a variant"),
        (
            SUITE + "defaults: {expect: fails}\n",
            "7:12 defaults.expect: unknown key 'expect', it belongs in a variant",
        ),
        (
            SUITE.replace("expect:", "xfail:"),
            "5:51 variants.b.xfail: unknown key 'xfail': write expect: fails (or converges) in a variant",
        ),
    ],
)
def test_it_belongs_in_a_variant(text, line, shipped):
    with pytest.raises(SuiteError) as problem:
        read("fails", shipped, text)
    assert str(problem.value) == f"s.yaml:{line}"
