"""ganbench.report.formats: each says the same, and nothing that a name or message holds can break its syntax."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from xml.etree import ElementTree

import pytest
from compared import clock, compared, everything, jsd, same, whole
from hypothesis import given
from hypothesis import strategies as st

from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.report.formats import FORMATS
from ganbench.report.formats.github import as_github, places_of
from ganbench.report.formats.html import as_html
from ganbench.report.formats.json_object import as_json
from ganbench.report.formats.junit import as_junit
from ganbench.report.formats.markdown import as_markdown
from ganbench.suite.mistake import SuiteError

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=30)
COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*?))?::(.*)")


def commands(text):
    """The commands that GitHub's runner would read: (command, properties, message), unescaped."""
    found = []
    for row in text.splitlines():
        command, properties, message = COMMAND.fullmatch(row).groups()
        pairs = [pair.split("=", 1) for pair in (properties or "").split(",") if pair]
        found.append((command, {key: unescaped(value) for key, value in pairs}, unescaped(message)))
    return found


def unescaped(text):
    assert not re.search("%(?!25|0D|0A|3A|2C)", text)
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_every_word_and_of_nothing_too(form):
    text = FORMATS[form](everything())
    for said in ("out of paper", "0.0520" if form != "json" else "0.052", "wgan-gp", "hinge"):
        assert said in text
    assert text.endswith("\n")
    assert FORMATS[form](compared())


@given(name=ANYTHING, reason=ANYTHING, label=ANYTHING)
def test_no_name_or_message_breaks_a_format(name, reason, label):
    found = compared(jsd(f"ring8/{name}"), whole(f"{name}/b", Outcome.FAILED, reason), notes=(label,))
    junit = ElementTree.fromstring(as_junit(found))
    assert len(junit.findall(".//testcase")) == 2
    assert json.loads(as_json(found))["findings"][1]["reason"] == reason
    assert len(commands(as_github(found))) == 2
    page = as_html(found)
    assert "<script" not in page
    assert "<img" not in page
    rows = [row for row in as_markdown(found).splitlines() if row.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) == 1, "as many cells in each row"


# JSON.


def test_json_has_all_fields_of_all_findings_and_nothing_that_json_lacks():
    said = json.loads(as_json(everything(), strict=True), parse_constant=pytest.fail)
    assert {field.name for field in fields(Finding)} | {"case"} == said["findings"][0].keys()
    assert len(said["findings"]) == len(everything().findings)
    held = next(one for one in said["findings"] if one["measure"] == "held_all_modes_step")
    assert (held["effect"], held["new"], held["seeds"], held["outcome"]) == ("inf", None, [16, 16], "worse")
    assert said["exit_code"] == 1
    assert said["new"] == {
        "label": "results/smoke/new",
        "suite": "smoke",
        "device": {"device": "cpu", "memory": "inf"},
        "versions": {"torch": "2.15"},
        "git": {"commit": "0" * 40, "dirty": False},
    }
    assert said["notes"] == ["git bisect start"]


def test_exit_code_of_json_is_strict_where_asked():
    unsure = compared(jsd(outcome=Outcome.UNSURE))
    assert [json.loads(as_json(unsure, strict=strict))["exit_code"] for strict in (False, True)] == [0, 4]


# JUnit.


def test_junit_has_the_shape_that_readers_take():
    """Elements and attributes as in the schema of Jenkins' reader, the counts right, one outcome a case."""
    root = ElementTree.fromstring(as_junit(everything()))
    (suite,) = root
    assert root.tag == "testsuites"
    assert [child.tag for child in suite][:1] == ["properties"]
    assert {child.tag for child in suite} == {"properties", "testcase", "system-out"}
    cases = suite.findall("testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases), "GitLab keeps the first"
    outcomes = []
    for case in cases:
        assert case.attrib.keys() == {"classname", "name", "time"}
        tags = [child.tag for child in case]
        assert set(tags) <= {"failure", "error", "skipped", "system-out"}
        outcomes += [tag for tag in tags if tag != "system-out"]
        assert len([tag for tag in tags if tag != "system-out"]) <= 1
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name)) == int(root.get(name)) == outcomes.count(tag)
    assert int(suite.get("tests")) == len(cases) == 8


def test_junit_failure_names_the_measures_and_has_a_line_for_each():
    root = ElementTree.fromstring(as_junit(everything()))
    failure = root.find(".//testcase[@classname='ring8'][@name='wgan-gp']/failure")
    assert failure.get("type") == "worse"
    assert failure.get("message").startswith("worse: jsd +0.0520 nats, min effect 0.02, all_modes 16/16 -> 8/16")
    assert len(failure.text.splitlines()) == 3
    error = root.find(".//testcase[@name='wgan-gp'][@classname='grid25']/error")
    assert "out of paper" in error.get("message")
    skipped = [case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None]
    assert skipped == ["new one", "old", "minimax"]


def test_unsure_fails_in_junit_only_where_strict_and_towards_worse():
    worse, better = jsd("a/b", Outcome.UNSURE), jsd("a/c", Outcome.UNSURE, effect=-0.05)
    loose, strict = (ElementTree.fromstring(as_junit(compared(worse, better), strict=one)) for one in (False, True))
    assert (loose.get("failures"), strict.get("failures")) == ("0", "1")
    assert "unsure" in loose.find(".//testcase[@name='b']/system-out").text


def test_junit_holds_control_characters_as_a_mark():
    text = as_junit(compared(whole("a/b", Outcome.FAILED, "bell \x07 nul \x00 half \ud800 ok é")))
    assert text.isascii()
    (error,) = ElementTree.fromstring(text).iter("error")
    assert error.get("message") == "failed: bell � nul � half � ok é"


# GitHub.


SUITE = """\
suite: smoke
variants:
  minimax: {loss: minimax}
  # between
  wgan-gp: {loss: wgan-gp}
  "wgan-gp two":
    loss: hinge
"""


def test_places_of_variants_are_those_of_their_names(tmp_path):
    path = tmp_path / "smoke.yaml"
    path.write_text(SUITE)
    assert places_of(path) == {"minimax": (3, 3), "wgan-gp": (5, 3), "wgan-gp two": (6, 3)}
    with pytest.raises(SuiteError, match="no such file"):
        places_of(tmp_path / "none.yaml")


def test_annotations_stand_at_the_line_of_the_variant_or_of_the_family(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "suites" / "smoke.yaml"
    path.parent.mkdir()
    path.write_text(SUITE)
    found = compared(jsd(), jsd("ring8/wgan-gp two lr=0.1"), jsd("ring8/gone"))
    places = [properties for _, properties, _ in commands(as_github(found, suite_file=path))]
    assert [(one["file"], one.get("line"), one.get("col")) for one in places] == [
        ("suites/smoke.yaml", "5", "3"),
        ("suites/smoke.yaml", "6", "3"),
        ("suites/smoke.yaml", None, None),
    ]
    given = as_github(found, suite_file=path, places={"wgan-gp": (12, 5)})
    assert given.startswith("::error file=suites/smoke.yaml,line=12,col=5,title=worse%3A ring8/wgan-gp::ring8/wgan-gp")
    assert "file" not in commands(as_github(found))[0][1]
    assert as_github(found, suite_file=tmp_path / "not there.yaml") == as_github(found)
    path.write_text("}")
    assert commands(as_github(found, suite_file=path))[0][1].keys() == {"file", "title"}


def test_each_case_and_kind_is_one_annotation():
    found = commands(as_github(everything()))
    assert [(command, properties["title"]) for command, properties, _ in found] == [
        ("error", "failed: grid25/wgan-gp"),
        ("error", "worse: ring8/wgan-gp"),
        ("warning", "unsure: grid25/hinge"),
        ("notice", "advice: unsure: ring8/wgan-gp"),
        ("notice", "not comparable: ring3/minimax"),
        ("notice", "gone: grid25/old"),
        ("notice", "new: grid25/new one"),
        ("notice", "better: ring8/hinge"),
    ]
    assert len(found[1][2].splitlines()) == 3


def test_what_is_the_same_is_no_annotation_and_unsure_is_an_error_where_it_fails():
    assert as_github(compared(same("a/b"), clock(outcome=Outcome.SAME))) == ""
    assert as_github(compared(jsd(outcome=Outcome.UNSURE)), strict=True).startswith("::error ")


def test_what_github_would_not_show_is_named_in_the_last_annotation():
    found = commands(as_github(compared(*(jsd(f"ring8/v{number}") for number in range(14)))))
    assert len(found) == 10
    assert found[-1][1]["title"] == "5 annotations more"
    assert found[-1][2] == "ring8/v9, ring8/v10, ring8/v11, ring8/v12, ring8/v13"


def nothing():
    """Comparisons of which nothing can be said."""
    gone = whole("ring8/old", Outcome.GONE, "not in what is new")
    other = whole("ring8/b", Outcome.NOT_COMPARABLE, "budget is another: steps 400 -> 500")
    return compared(gone, other, notes=("other device: cpu",)), compared(notes=("the base has no cases",))


def test_where_nothing_was_compared_there_is_one_error_with_the_reasons():
    some, none = nothing()
    for found, reasons in (
        (some, ["not in what is new", "steps 400 -> 500", "other device: cpu"]),
        (none, ["the base has no cases"]),
    ):
        (error,) = (one for one in commands(as_github(found)) if one[0] == "error")
        assert error[1]["title"] == "nothing was compared"
        assert all(reason in error[2] for reason in reasons)
        root = ElementTree.fromstring(as_junit(found))
        (error,) = root.iter("error")
        assert error.get("message").startswith("nothing was compared")
        assert all(reason in error.text for reason in reasons)
        assert int(root.get("errors")) == 1
        assert int(root.get("tests")) == len(list(root.iter("testcase")))


def test_what_was_compared_or_has_failed_is_not_called_nothing():
    for found in (everything(), compared(same("a/b")), compared(whole("a/b", Outcome.FAILED, "out of paper"))):
        for form in (as_github, as_junit):
            assert "nothing was compared" not in form(found)


# Markdown.


def test_markdown_begins_with_the_word_and_folds_what_is_the_same():
    text = as_markdown(everything())
    assert text.startswith("### :x: smoke: worse\n\n**worse**: ring8/wgan-gp (jsd +0.0520 nats, min effect 0.02")
    table = [row for row in text.partition("<details>")[0].splitlines() if row.startswith("|")]
    assert table[0] == "| verdict | case | measure | base | new | change | min effect | p | seeds | reason |"
    assert [row.split(" | ")[0][2:] for row in table[2:]] == ["worse", "worse", "worse", "unsure", "better"]
    assert "| 16/16 | 8/16 | -50 % | 25 % |" in text
    folded = text.partition("<details>")[2]
    assert folded.startswith("<summary>Same: 2 measures of 2 cases; identical, seed by seed: 1 case.</summary>\n\n|")
    assert "| ring8/minimax | jsd | yes |" in folded
    assert "Advice, which changes no exit code" in folded
    assert text.count("<details>") == text.count("</details>") == 2
    assert "With 16 seeds this would have been seen: jsd higher by 0.04 nats" in text
    assert as_markdown(compared(same("a/b"))).startswith(
        "### :white_check_mark: smoke: same\n\n**same**: 1 case, of which 1 identical"
    )


def test_markdown_sign_is_that_of_the_exit_code():
    unsure = compared(jsd(outcome=Outcome.UNSURE))
    assert as_markdown(unsure).startswith("### :warning: smoke: unsure")
    assert as_markdown(unsure, strict=True).startswith("### :x: smoke: unsure")
    assert as_markdown(compared(whole("a/b", Outcome.NEW))).startswith("### :x: smoke: nothing was compared")
    assert as_markdown(everything()).isascii()


def test_markdown_shows_names_as_they_are():
    text = as_markdown(compared(jsd("ring8/a|b_c <b> `d` *e* [f](g)")))
    assert r"ring8/a\|b\_c \<b\> \`d\` \*e\* \[f\](g)" in text


def test_markdown_stays_within_what_a_summary_may_hold():
    many = [jsd(f"ring8/{'x' * 60}{number}", reason="y" * 100) for number in range(5000)]
    text = as_markdown(compared(*many))
    assert len(text.encode()) < 2**20
    assert "4500 more are left out here" in text
