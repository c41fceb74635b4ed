"""ganbench.report.comparison and sentences: what matters first, at every width, in ASCII where there is no more."""

from __future__ import annotations

import io
import math

import pytest
from compared import all_modes, clock, compared, everything, flops, held, jsd, same, whole
from rich.console import Console

from ganbench.compare.verdicts.finding import Outcome
from ganbench.report.comparison import show_comparison
from ganbench.report.finding import line
from ganbench.report.sentences import headline, visible


def printed(comparison, *, all_=False, **console):
    console = {"file": io.StringIO(), "force_terminal": True, "color_system": None, "width": 120} | console
    made = Console(**console)
    show_comparison(comparison, made, all_=all_)
    if isinstance(made.file, io.TextIOWrapper):
        made.file.flush()
        return made.file.buffer.getvalue().decode(made.file.encoding)
    return made.file.getvalue()


def words(text):
    return " ".join(text.split())


# The headline.


def test_headline_says_what_is_worse_by_how_much_and_how_many_others_there_are():
    found = compared(jsd(), same("ring8/minimax"), same("ring8/hinge"), whole("ring8/x", Outcome.NEW))
    assert headline(found) == "worse: ring8/wgan-gp (jsd +0.0520 nats, min effect 0.02); others: 1 new, 2 same"


def test_headline_of_nothing_changed_counts_the_identical():
    alike = [same(f"ring8/{name}") for name in "abc"]
    assert headline(compared(*alike)) == "same: 3 cases, of which 3 identical"
    assert headline(compared(*alike, same("ring8/d", identical=False))) == "same: 4 cases, of which 3 identical"
    assert headline(compared(same("ring8/a", identical=False))) == "same: 1 case"


def test_headline_of_cases_that_are_the_same_only_in_part_counts_measures():
    found = [same(f"ring8/{name}") for name in "ab"] + [jsd("ring8/a", Outcome.NOT_COMPARABLE)]
    assert headline(compared(*found[:1], found[2])) == "same: 1 measure; others: 1 not comparable"
    assert headline(compared(*found)) == "same: 1 case, of which 1 identical; others: 1 not comparable"


def test_headline_begins_with_the_word_of_the_exit_code():
    failed = whole("ring8/a", Outcome.FAILED, "2 x error of 16 seeds")
    unsure, better = jsd("ring8/b", Outcome.UNSURE), jsd("ring8/c", Outcome.BETTER, effect=-0.05)
    assert headline(compared(failed, jsd())).startswith("worse: ring8/wgan-gp")
    assert "; failed: ring8/a (2 x error of 16 seeds)" in headline(compared(failed, jsd()))
    assert headline(compared(better, unsure, failed)).startswith("failed: ring8/a")
    assert headline(compared(better, unsure)).startswith("unsure: ring8/b")
    assert headline(compared(better, same("ring8/d"))).startswith("better: ring8/c (jsd -0.0500 nats")
    assert headline(compared(whole("ring8/a", Outcome.GONE))) == "nothing was compared: 1 gone"
    assert headline(compared()) == "nothing was compared"
    assert headline(compared(same("ring8/a"), whole("ring8/b", Outcome.NEW))) == (
        "same: 1 case, of which 1 identical; others: 1 new"
    )


def test_headline_ignores_advice():
    assert headline(compared(same("ring8/wgan-gp"), clock(outcome=Outcome.WORSE))).startswith("same")


def test_many_worse_cases_are_counted_and_not_all_named():
    text = headline(compared(*(jsd(f"ring8/v{number}") for number in range(9))))
    assert text.count("ring8/") == 3
    assert text.endswith("and 6 more")


# One finding.


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (jsd(), "jsd: worse, 0.0310 -> 0.0830, +0.0520 nats [+0.0300, +0.0700], min effect 0.02, p 1.5e-05, 16 seeds"),
        (all_modes(), "all_modes: worse, 16/16 -> 8/16, -50 %, min effect 25 %, p 0.0012, 16 seeds"),
        (held(), "held_all_modes_step: worse, 400 -> never, +inf steps, min effect 200, p <1e-6, 16 seeds"),
        (flops(), "flops_per_step: same, 1,234,567 -> 1,234,567, 0 %, min effect 0 %"),
        (
            flops(is_=1234568.0, outcome=Outcome.WORSE),
            "flops_per_step: worse, 1,234,567 -> 1,234,568, +8.1e-05 %, min effect 0 %",
        ),
        (
            clock(),
            "model_steps_per_second: unsure, 12.0k -> 9.00k, -25 %, min effect 10 %, timed at two times: advice",
        ),
        (
            jsd(seeds=(16, 8), low=None),
            "jsd: worse, 0.0310 -> 0.0830, +0.0520 nats, min effect 0.02, p 1.5e-05, 16, 8 seeds",
        ),
    ],
)
def test_finding_in_one_line(finding, said):
    assert line(finding) == f"ring8/wgan-gp {said}"


def test_line_of_a_case_is_its_reason_on_one_line():
    finding = whole("ring8/a", Outcome.FAILED, "1 x error of 8 seeds: two\nlines\tand a tab")
    assert line(finding) == "ring8/a: failed, 1 x error of 8 seeds: two lines and a tab"


# What could have been seen.


def test_visible_is_that_of_the_case_that_shows_least_in_the_unit_of_the_measure():
    found = compared(jsd(), all_modes(), all_modes("ring8/b", visible=0.5), held(visible=160.0))
    assert visible(found) == [
        "With 16 seeds this would have been seen: jsd higher by 0.04 nats; all_modes in 8 of 16 seeds fewer; "
        "held_all_modes_step later by 160 steps."
    ]


def test_where_nothing_could_be_seen_is_said_plainly():
    nowhere = all_modes("ring8/b", Outcome.SAME, base=0.0, new=0.0, effect=0.0, visible=None)
    lines = visible(compared(all_modes(), nowhere, held()))
    assert lines[1] == "No change for the worse, however large, would have been seen in: all_modes of ring8/b."
    assert lines[2].startswith(
        "How large a change would have been seen is not known of: held_all_modes_step of ring8/w"
    )
    assert visible(compared(whole("ring8/a", Outcome.NEW))) == ["Nothing was judged, so nothing could have been seen."]


def test_what_is_identical_needs_no_size():
    assert len(visible(compared(jsd(), held(outcome=Outcome.SAME, identical=True)))) == 1
    assert visible(compared(same("ring8/a", visible=None))) == []


def test_rounds_in_turn_say_what_loss_of_speed_they_would_have_shown():
    timed = clock(advice=False, visible=0.15, outcome=Outcome.SAME)
    assert visible(compared(timed)) == [
        "With these rounds this would have been seen: model_steps_per_second lower by 15 %."
    ]
    assert visible(compared(clock(advice=False, visible=1.0, outcome=Outcome.SAME)))[0].startswith(
        "No change for the worse,"
    )
    lost = clock(advice=False, outcome=Outcome.FAILED, reason="could not be timed: killed", effect=None)
    assert headline(compared(lost)) == ("failed: ring8/wgan-gp (model_steps_per_second could not be timed: killed)")
    assert "failed: model_steps_per_second of ring8/wgan-gp: could not be timed: killed" in printed(compared(lost))


def test_seeds_of_both_sides_are_said_where_they_differ():
    assert visible(compared(jsd(seeds=(8, 16))))[0].startswith("With 8 to 16 seeds ")


# On the terminal.


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("all_", [False, True])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width, all_):
    text = printed(everything(), width=width, all_=all_)
    assert all(len(row.rstrip()) <= width for row in text.splitlines())
    for numbers in ("0.0310 -> 0.0830", "16/16 -> 8/16", "400 -> never"):
        assert numbers in text
    assert ("1,234,567 -> 1,234,567" in text) is all_
    assert "…" not in text or (all_ and width == 40), "only beside a count of seven digits"
    for said in (
        "out of paper",
        "steps 400 -> 500",
        "git bisect start",
        "large, but so many seeds do not make it sure",
    ):
        assert said in words(text)


@pytest.mark.parametrize("width", [1, 5, 12, 20])
def test_absurd_widths_do_not_crash_the_comparison(width):
    assert printed(everything(), width=width)


def test_gravest_comes_first_and_each_measure_stands_under_its_word_and_case():
    rows = [row.strip() for row in printed(everything()).splitlines()]
    at = [rows.index(head) for head in ("worse: ring8/wgan-gp", "unsure: grid25/hinge", "better: ring8/hinge")]
    assert at == sorted(at)
    assert [row.split()[0] for row in rows[at[0] + 1 : at[0] + 4]] == ["jsd", "all_modes", "held_all_modes_step"]


def test_what_is_the_same_is_counted_unless_all_is_asked_for():
    text = printed(everything())
    assert "Same: 2 measures of 2 cases; identical, seed by seed: 1 case." in text
    assert "flops_per_step" not in text
    full = printed(everything(), all_=True)
    assert "same: ring8/minimax" in full
    assert "1,234,567 -> 1,234,567" in full
    assert "Same: " not in full


def test_advice_stands_apart():
    text = printed(everything())
    assert text.index("Advice, which changes no exit code") > text.index("jsd")
    assert "12.0k -> 9.00k" in text.partition("Advice")[2]
    alike = printed(compared(same("ring8/a"), clock(outcome=Outcome.SAME)))
    assert "Advice: all the same, 1 of 1." in alike


def test_cases_with_the_same_reason_are_one_line():
    several = [whole(f"ring8/v{n}", Outcome.NOT_COMPARABLE, "measured by protocol 1, now 2") for n in range(12)]
    text = printed(compared(*several))
    assert "not comparable: ring8/v0, ring8/v1, ring8/v2 and 9 more: measured by protocol 1, now 2" in text


def test_dropped_reasons_are_said_below_and_other_columns_named():
    text = words(printed(everything(), width=60))
    assert "grid25/hinge jsd: large, but so many seeds do not make it sure" in text
    assert "No room for: " in text


def test_piped_comparison_is_plain_ascii_and_unbroken():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    odd = compared(jsd("ring8/größer-☃"), whole("ring8/[red]x[/red]", Outcome.FAILED, "y\x1b[31m" + "z" * 200))
    text = printed(odd, file=file, force_terminal=False, width=None)
    assert "gr??er-?" in text
    assert "[red]x[/red]" in text, "a name is not markup"
    assert "z" * 200 in text


def test_infinite_and_missing_numbers_are_words():
    nothing = jsd(base=0.03, new=None, effect=math.inf, low=None, high=None)
    assert "0.0300 -> none, +inf nats" in line(nothing)
