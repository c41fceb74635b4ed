"""A comparison as a page of its own, in the style of a run's page: one HTML file that needs no network."""

from __future__ import annotations

from pathlib import Path

from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.report.finding import effect, ends, measured, min_effect, p_value, place, seeds
from ganbench.report.page.html import html
from ganbench.report.sentences import headline, leading, same, statements, visible

#: The sign of each outcome, and the name of its colour in the page's style.
_SIGNS = {
    Outcome.FAILED: ("!", "failed"),
    Outcome.WORSE: ("▼", "collapsed"),
    Outcome.UNSURE: ("?", "oscillating"),
    Outcome.NOT_COMPARABLE: ("–", "none"),
    Outcome.GONE: ("–", "none"),
    Outcome.NEW: ("+", "shape"),
    Outcome.BETTER: ("▲", "converged"),
    Outcome.SAME: ("=", "none"),
}
_HEAD = ("measure", "base", "new", "change", "min effect", "p", "seeds", "reason")


def as_html(comparison: Comparison, *, strict: bool = False, suite_file: str | Path | None = None) -> str:
    """The headline, a table of all that was measured, the gravest first, what could have been seen, and notes.

    Args:
        comparison: The comparison.
        strict: Whether an unsure finding towards worse is a failure, in the headline's sign.
        suite_file: Not used: the page has no places in a file.

    Returns:
        The page.
    """
    shown = sorted((one for one in comparison.findings if measured(one)), key=place)
    rows = [
        (
            *_SIGNS[one.outcome],
            f"{one.outcome}, advice" if one.advice else str(one.outcome),
            one.case,
            (
                one.measure,
                *ends(one),
                " ".join(filter(None, effect(one))),
                min_effect(one),
                p_value(one),
                seeds(one),
                one.reason,
            ),
        )
        for one in shown
    ]
    content = {
        "title": comparison.new.suite,
        "base": comparison.base.label,
        "new": comparison.new.label,
        "sign": _SIGNS[leading(comparison)][0],
        "failed": bool(comparison.exit_code(strict=strict)),
        "headline": headline(comparison),
        "statements": [f"{word}: {text}" for word, text in statements(list(comparison.counted()))],
        "head": _HEAD,
        "rows": rows,
        "same": same(comparison),
        "visible": visible(comparison),
        "notes": comparison.notes,
    }
    return html("comparison.html", content) + "\n"
