"""A comparison as Markdown, for a job's summary or a comment on a pull request."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.report.finding import effect, ends, measured, min_effect, one_line, p_value, place, seeds
from ganbench.report.sentences import cases, headline, leading, same, statements, visible

#: More lines of a table than this are left out, and counted: a job's summary may have 1 MiB.
_MOST = 500
_COLUMNS: dict[str, Callable[[Finding], str]] = {
    "verdict": lambda finding: str(finding.outcome),
    "case": lambda finding: finding.case,
    "measure": lambda finding: finding.measure,
    "base": lambda finding: ends(finding)[0],
    "new": lambda finding: ends(finding)[1],
    "change": lambda finding: " ".join(filter(None, effect(finding))),
    "min effect": min_effect,
    "p": p_value,
    "seeds": seeds,
    "reason": lambda finding: finding.reason,
}


def as_markdown(comparison: Comparison, *, strict: bool = False, suite_file: str | Path | None = None) -> str:
    """The headline, a table of what is not the same, what is the same (folded), what could have been seen, and notes.

    Args:
        comparison: The comparison.
        strict: Whether an unsure finding towards worse is a failure, in the headline's sign.
        suite_file: Not used: the text has no places in a file.

    Returns:
        The Markdown text.
    """
    word, _, rest = headline(comparison).partition(":")
    # As names, so that any output can hold them.
    fine = ":warning:" if leading(comparison) is Outcome.UNSURE else ":white_check_mark:"
    sign = ":x:" if comparison.exit_code(strict=strict) else fine
    base, new = (escape(run.label) for run in (comparison.base, comparison.new))
    parts = [
        f"### {sign} {escape(comparison.new.suite)}: {escape(word)}",
        f"**{escape(word)}**" + (f": {escape(rest)}" if rest else ""),
        f"{new} against {base}.",
    ]
    counted, advice = list(comparison.counted()), [one for one in comparison.findings if one.advice]
    parts += [f"* {escape(f'{word}: {text}')}" for word, text in statements(counted)]
    parts.append(_table([one for one in counted if measured(one) and one.outcome is not Outcome.SAME]))
    if alike := same(comparison):
        parts.append(_folded(alike, _same(comparison)))
    if advice:
        apart = [one for one in advice if one.outcome is not Outcome.SAME]
        title = f"Advice, which changes no exit code: {len(apart)} of {len(advice)} not the same"
        parts.append(_folded(title, _table([one for one in apart if measured(one)])))
    parts += [escape(text) for text in visible(comparison)]
    parts += [f"* {escape(note)}" for note in comparison.notes]
    # A list is one part, so that its items stand together.
    text = "\n\n".join(part for part in parts if part)
    return re.sub(r"(?m)^(\* .*)\n\n(?=\* )", r"\1\n", text) + "\n"


def escape(text: object) -> str:
    """Text that Markdown, and a cell of its tables, shows as it is; on one line, without control characters."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in one_line(str(text)))
    return re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", plain)


def _table(findings: Sequence[Finding]) -> str:
    """A line for each finding, the gravest first, without columns that are empty in all."""
    if not findings:
        return ""
    shown = sorted(findings, key=place)
    rows = [{name: escape(text(finding)) for name, text in _COLUMNS.items()} for finding in shown[:_MOST]]
    names = [name for name in _COLUMNS if any(row[name] for row in rows)]
    lines = [_row(names), _row(["---"] * len(names)), *(_row([row[name] for name in names]) for row in rows)]
    left = len(findings) - len(rows)
    return "\n".join(lines) + (f"\n\n{left} more are left out here; `--format json` has them all." if left else "")


def _same(comparison: Comparison) -> str:
    """A line for each case with those of its measures that are the same."""
    rows = []
    for findings in cases(comparison).values():
        if alike := [one for one in findings if one.outcome is Outcome.SAME]:
            identical = "yes" if all(one.identical for one in alike) else ""
            measures = ", ".join(escape(one.measure) for one in alike)
            rows.append(_row([escape(alike[0].case), measures, identical]))
    more = f"\n\n{len(rows) - _MOST} more cases are left out here." if len(rows) > _MOST else ""
    return "\n".join([_row(["case", "the same", "identical"]), _row(["---"] * 3), *rows[:_MOST]]) + more


def _folded(title: str, content: str) -> str:
    if not content:
        return escape(title)
    return f"<details><summary>{html.escape(title)}</summary>\n\n{content}\n\n</details>"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
