"""``published`` in a suite: what is read, what is written out again, and each mistake at its place."""

from __future__ import annotations

import pytest

from ganbench.core.published import PublishedRow, decimals_of
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import plan

SUITE = """
suite: demo
datasets: {one: ring, two: grid}
references: [em]
variants: {a: {loss: minimax}, b: {loss: minimax, sweep: {optimizer.lr: [0.1]}}}
metrics: [jsd, modes]
published:
  source: A paper, table 1
  rows:
    - ROW
"""
GOOD = "{dataset: one, variant: a, column: modes_covered, value: 6.3, se: 0.5, trials: 10, called: modes}"


def read(row, registry, text=SUITE):
    return parse(text.replace("ROW", row), registry, "s.yaml")


def test_a_row_is_read_and_written_out_again(shipped):
    suite = read(GOOD, shipped)
    row = PublishedRow("one", "a", "modes_covered", 6.3, 1, se=0.5, trials=10, called="modes")
    assert (suite.published.source, suite.published.rows) == ("A paper, table 1", (row,))
    assert parse(suite.to_yaml(), shipped).published == suite.published


def test_it_is_no_part_of_what_decides_numbers(shipped):
    without = SUITE.partition("published:")[0]
    assert [cell.id for cell in plan(read(GOOD, shipped))] == [cell.id for cell in plan(parse(without, shipped))]


@pytest.mark.parametrize(
    ("value", "decimals"), [(6.0, 1), (6, 0), (6.25, 2), (2.6e-6, 7), (9e-34, 34), (1e22, 0), (-0.5, 1)]
)
def test_the_decimals_are_those_that_are_written(value, decimals):
    assert decimals_of(value) == decimals


@pytest.mark.parametrize(("written", "decimals"), [("225", 0), ("225.0", 1), ("1.6", 1)])
def test_a_whole_number_of_a_suite_was_printed_without_decimals(written, decimals, shipped):
    row = read(f"{{dataset: one, variant: a, column: jsd, value: {written}, se: 2}}", shipped).published.rows[0]
    assert row.decimals == decimals


@pytest.mark.parametrize(
    "row",
    [
        "{dataset: two, variant: em, column: jsd, value: 0.1}",
        "{dataset: two, variant: oracle, column: jsd, value: 0.1, se: 0}",
        "{dataset: one, variant: b lr=0.1, column: jsd, value: 0.1, sd: 0.1, trials: 3}",
        "{dataset: one, variant: a, column: all_modes, value: 0.79, trials: 200}",
        "{dataset: one, variant: a, column: jsd, value: 0.64, se: 0, decimals: 3, unlike: in bits}",
    ],
)
def test_any_row_and_column_of_the_table_may_be_named(row, shipped):
    assert read(row, shipped).published


ONE = "dataset: one, variant: a, column: jsd, value: 0.1"


@pytest.mark.parametrize(
    ("row", "at", "line"),
    [
        (ONE.replace("one", "onee"), "onee", "[0].dataset: the suite has no data set 'onee', did you mean 'one'?"),
        (ONE.replace("a,", "c,"), "c,", "[0].variant: the table has no row 'c'; known: a, b lr=0.1, em, oracle"),
        (
            ONE.replace("a,", "b,"),
            "b,",
            "[0].variant: the table has no row 'b': it is swept, name one of its rows, such as 'b lr=0.1'",
        ),
        (
            ONE.replace("jsd", "mods_covered"),
            "mods_",
            "[0].column: no metric of the suite fills a column 'mods_covered', did you mean 'modes_covered'?",
        ),
        (ONE.replace("jsd", "jsd_method"), "jsd_", "[0].column: 'jsd_method' holds words, and no number"),
        (
            ONE.replace("jsd", "all_modes").replace("0.1", "79"),
            "79",
            "[0].value: 'all_modes' is a share of the seeds: write it from 0 to 1, not 79",
        ),
        (
            ONE.replace("jsd", "all_modes") + ", se: 0.1",
            "se:",
            "[0].se: the interval of a share follows from its trials: leave it out",
        ),
        (ONE + ", se: 0.1, sd: 0.2, trials: 4", "sd:", "[0].sd: se says the spread already: leave one of them out"),
        (
            ONE + ", sd: 0.2",
            "0.2",
            "[0].sd: needs trials, how many trainings it is of; or write se, the standard error",
        ),
        (ONE + ", se: 0.2, trials: 1", "1}", "[0].trials: 1 trial has no spread"),
        (ONE + ", se: -1", "-1", "[0].se: must be a number of at least 0, not -1"),
        (ONE + ", trials: 0", "0}", "[0].trials: must be a whole number of at least 1, not 0"),
        (ONE + ", std: 0.2", "std", "[0].std: unknown key 'std': write sd, the standard deviation of the trials"),
        (ONE + ", seeds: 4", "seeds", "[0].seeds: unknown key 'seeds': write trials"),
        (ONE.partition(", value")[0], "{dataset", "[0]: missing key 'value'"),
        (
            f"{ONE}}}\n    - {{{ONE}",
            "{dataset",
            "[1]: is there already, as rows[0]: give one of them another 'called'",
        ),
    ],
)
def test_a_mistake_is_said_at_its_place(row, at, line, shipped):
    text = SUITE.replace("ROW", f"{{{row}}}")
    with pytest.raises(SuiteError) as problem:
        parse(text, shipped, "s.yaml")
    (one,) = problem.value.mistakes
    assert f"{one.path}: {one.message}" == f"published.rows{line}"
    assert text.splitlines()[one.line - 1][one.column - 1 :].startswith(at)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("published: {rows: []}\n", "missing key 'source'"),
        ("published: {source: x, rows: []}\n", "must be a list of 1 to 1000 items, each a mapping"),
        ("published: {source: x, rows: [], paper: y}\n", "unknown key 'paper': write source, beside rows"),
        ("published: 1\n", "must be a mapping with the keys source, rows, not 1"),
        ("variants: {a: {published: 1}}\n", "it belongs at the top of the suite"),
    ],
)
def test_a_wrong_whole_is_said_too(text, line, shipped):
    with pytest.raises(SuiteError, match=line):
        parse(SUITE.partition("variants:" if "variants" in text else "published:")[0] + text, shipped)


def test_a_part_of_a_suite_keeps_the_rows_that_it_has(shipped):
    published = read(GOOD, shipped).published
    assert published.of({("one", "a"), ("two", "a")}) == published
    assert published.of({("two", "a")}) is None
