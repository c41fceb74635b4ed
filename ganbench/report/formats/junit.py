"""A comparison as JUnit XML: a test case for each case of the suite.

There is no standard, only readers. This is what those of Jenkins, GitLab and GitHub's actions have in common: a
``testsuites`` with one ``testsuite``, whose test cases have ``classname``, ``name`` and ``time``, and at most one
``failure``, ``error`` or ``skipped`` with a ``message``: of several, most readers show the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.report.finding import brief, line, listed, place
from ganbench.report.formats.nothing import TITLE, why_nothing
from ganbench.report.sentences import cases, headline, visible

#: What XML 1.0 cannot hold, not even escaped.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = (Outcome.NOT_COMPARABLE, Outcome.GONE, Outcome.NEW)


def as_junit(comparison: Comparison, *, strict: bool = False, suite_file: str | Path | None = None) -> str:
    """A test case for each case: ``classname`` is the data set, ``name`` the variant.

    A case that is worse has a ``failure`` with a line for each measure, one that has failed an ``error``; new, gone and
    not comparable are ``skipped``. Where there is nothing else, one more test case has an ``error`` with the reasons.
    All other findings of a case are in its ``system-out``. The text is ASCII, so that no encoding can break it.

    Args:
        comparison: The comparison.
        strict: Whether an unsure finding towards worse is a failure; otherwise it passes.
        suite_file: Not used: JUnit has no places in a file.

    Returns:
        The XML text.
    """
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name=_fit(f"ganbench {comparison.new.suite}"))
    properties = SubElement(suite, "properties")
    for name, run in (("base", comparison.base), ("new", comparison.new)):
        SubElement(properties, "property", name=name, value=_fit(run.label))
    verdicts = [
        _case(suite, dataset, variant, findings, strict) for (dataset, variant), findings in cases(comparison).items()
    ]
    if why := why_nothing(comparison):
        case = SubElement(suite, "testcase", classname=_fit(comparison.new.suite), name=TITLE, time="0")
        SubElement(case, "error", message=_fit(why[0]), type=TITLE).text = _fit("\n".join(why))
        verdicts.append("error")
    SubElement(suite, "system-out").text = _fit(
        "\n".join([headline(comparison), *visible(comparison), *comparison.notes])
    )
    for element in (root, suite):
        element.set("tests", str(len(verdicts)))
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            element.set(name, str(verdicts.count(kind)))
        element.set("time", "0")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="us-ascii").decode()}\n'


def _case(suite: Element, dataset: str, variant: str, findings: Sequence[Finding], strict: bool) -> str:
    """Add a test case; returns its kind: failure, error, skipped, or empty where it passes."""
    case = SubElement(suite, "testcase", classname=_fit(dataset), name=_fit(variant), time="0")
    unsure = [one for one in findings if strict and one.unsettled]
    worse = [one for one in findings if one.outcome is Outcome.WORSE]
    failed = [one for one in findings if one.outcome is Outcome.FAILED]
    skipped = findings if all(one.outcome in _SKIPPED for one in findings) else []
    shown: Sequence[Finding] = ()
    kind = ""
    outcomes = (("failure", worse), ("error", failed), ("failure", unsure), ("skipped", skipped))
    if not findings:
        kind = "skipped"
        SubElement(case, kind, message="nothing was judged")
    elif found := next(((kind, some) for kind, some in outcomes if some), None):
        kind, shown = found
        SubElement(case, kind, message=_fit(_message(shown)), type=str(shown[0].outcome)).text = _text(shown)
    rest = [one for one in findings if one not in shown and one.outcome is not Outcome.SAME]
    if rest:
        SubElement(case, "system-out").text = _text(rest)
    return kind


def _message(findings: Sequence[Finding]) -> str:
    return f"{findings[0].outcome}: {listed(map(brief, findings))}"


def _text(findings: Sequence[Finding]) -> str:
    return _fit("\n".join(line(finding) for finding in sorted(findings, key=place)))


def _fit(text: str) -> str:
    return _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
