"""A comparison for a person: what matters in one sentence, then what it rests on, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.report.figures import SIGNS, Figures, Signs
from ganbench.report.finding import effect, ends, measured, min_effect, one_line, p_value, place, seeds
from ganbench.report.grid import print_line, show_grid
from ganbench.report.sentences import headline, leading, reasons, same, statements, visible

_STYLES = {
    Outcome.FAILED: "red",
    Outcome.WORSE: "red",
    Outcome.UNSURE: "yellow",
    Outcome.NOT_COMPARABLE: "yellow",
    Outcome.GONE: "yellow",
    Outcome.BETTER: "green",
}


def show_comparison(comparison: Comparison, console: Console, *, all_: bool = False) -> None:
    """Print a comparison: a headline, what is not the same, advice apart, and last what could have been seen.

    Args:
        comparison: The comparison.
        console: Where to print.
        all_: Whether to print a line for each measure that is the same, too, in place of their number.
    """
    counted = list(comparison.counted())
    print_line(console, headline(comparison), f"bold {_STYLES.get(leading(comparison), '')}".strip())
    print_line(console, f"{comparison.new.label} against {comparison.base.label}", "dim")
    _findings(console, counted, all_=all_)
    if not all_ and (alike := same(comparison)):
        print_line(console, alike, "none")
    if advice := [finding for finding in comparison.findings if finding.advice]:
        _advice(console, advice, all_=all_)
    for text in visible(comparison):
        print_line(console, text, "dim")
    for note in comparison.notes:
        print_line(console, one_line(note), "none")


def _findings(console: Console, findings: Sequence[Finding], *, all_: bool) -> None:
    for outcome, text in statements(findings):
        print_line(console, f"{outcome}: {text}", _STYLES.get(outcome, "none"))
    shown = [one for one in findings if measured(one) and (all_ or one.outcome is not Outcome.SAME)]
    if shown:
        print_line(console, "", "")
        _grid(console, sorted(shown, key=place))


def _advice(console: Console, advice: Sequence[Finding], *, all_: bool) -> None:
    """What changes no exit code, under a heading of its own."""
    alike = sum(one.outcome is Outcome.SAME for one in advice)
    if alike == len(advice) and not all_:
        print_line(console, f"Advice: all the same, {alike} of {alike}.", "dim")
        return
    print_line(console, "", "")
    print_line(console, "Advice, which changes no exit code", "bold")
    _findings(console, advice, all_=all_)
    if alike and not all_:
        print_line(console, f"{alike} more are the same.", "dim")


def _grid(console: Console, findings: Sequence[Finding]) -> None:
    """A line for each measure under its outcome and case; columns without room are named, reasons printed below."""
    signs = SIGNS[console.options.ascii_only]
    columns = _columns(findings, signs)
    groups = [f"{finding.outcome}: {finding.case}" for finding in findings]
    alike = [finding.outcome is Outcome.SAME for finding in findings]
    dropped = [one.name for one in show_grid(console, groups, [one.measure for one in findings], columns, alike)]
    if "reason" in dropped:
        for text in reasons(findings):
            print_line(console, text, "none")
    if names := [name for name in dropped if name != "reason"]:
        print_line(console, f"No room for: {', '.join(names)}", "dim")


def _columns(findings: Sequence[Finding], signs: Signs) -> list[Figures]:
    """The columns that have a text for any of the findings."""

    def column(name: str, title: str, under: str, text: Callable[[Finding], str], *, words: bool = False) -> Figures:
        texts = [one_line(text(finding)) for finding in findings]
        return Figures(name, title, under, tuple((one or ("" if words else signs.none), "") for one in texts), words)

    change = [effect(finding) for finding in findings]
    short = tuple((number or signs.none, "") for number, _ in change)
    long = tuple((number or signs.none, f" {ends}" if ends else "") for number, ends in change)
    found = [
        column("base -> new", "base -> new", "", lambda finding: " -> ".join(ends(finding))),
        Figures(
            "change", "change", "95 %" if long != short else "", long, shorter=Figures("change", "change", "", short)
        ),
        column("min effect", "min effect", "", min_effect),
        column("p", "p", "one-sided", p_value),
        column("seeds", "seeds", "", seeds),
        column("reason", "reason", "", lambda finding: finding.reason, words=True),
    ]
    return [one for one in found if any(number not in ("", signs.none) for number, _ in one.cells)]
