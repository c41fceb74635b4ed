"""A finding in short texts: its numbers with their units, and all of it in one line.

Plain ASCII but for the names that users give, so that any output can hold it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.report.numbers import Format, common, thousands

#: So many names are listed; of the others only the number.
NAMED = 3
_PLACES = {word: place for place, word in enumerate(Outcome)}
_RATIOS = ("count", "clock")


def place(finding: Finding) -> int:
    """The finding's place by its outcome, the gravest first: a sort key."""
    return _PLACES[finding.outcome]


def measured(finding: Finding) -> bool:
    """Whether a finding has numbers: not one on a whole case, nor one that failed or could not be compared."""
    return finding.kind != "case" and finding.outcome not in (Outcome.NOT_COMPARABLE, Outcome.FAILED)


def line(finding: Finding) -> str:
    """A finding in one line, ``ring8/wgan-gp jsd: worse, 0.031 -> 0.083, +0.052 nats, min effect 0.02``."""
    subject = f"{finding.case} {finding.measure}".rstrip()
    return one_line(f"{subject}: {', '.join(filter(None, [str(finding.outcome), *_details(finding)]))}")


def brief(finding: Finding) -> str:
    """A finding in brackets: ``jsd +0.052 nats, min effect 0.02``; its reason where it has no numbers."""
    if not measured(finding):
        return f"{finding.measure} {finding.reason}".strip()
    change = "" if finding.kind == "share" else effect(finding)[0]
    numbers = change or " -> ".join(ends(finding))
    return (
        f"{finding.measure} {numbers}, min effect {min_effect(finding)}"
        if finding.min_effect
        else f"{finding.measure} {numbers}"
    )


def ends(finding: Finding) -> tuple[str, str]:
    """The numbers of the base and of the new run: shares as ``12/16``; a step that was never reached as ``never``."""
    form = _form(finding)

    def text(value: float | None, seeds: int) -> str:
        if value is None:
            return "never" if finding.kind == "step" else "none"
        if finding.kind == "share":
            count = value * seeds
            exact = seeds > 0 and math.isclose(count, round(count), abs_tol=1e-9)
            return f"{round(count)}/{seeds}" if exact else f"{100 * value:.0f} %"
        return form(value)

    return text(finding.base, finding.seeds[0]), text(finding.new, finding.seeds[1])


def effect(finding: Finding) -> tuple[str, str]:
    """The change with its unit, and its interval or nothing: ``+0.052 nats``, ``[+0.03, +0.07]``."""
    if finding.effect is None:
        return "", ""
    form, unit = _form(finding), f" {finding.unit}".rstrip()
    if finding.kind in _RATIOS:
        form, unit = _percent_more, " %"
    elif finding.kind == "share":
        form, unit = _percent, " %"
    number = _signed(form, finding.effect) + unit
    if finding.low is None or finding.high is None:
        return number, ""
    return number, f"[{_signed(form, finding.low)}, {_signed(form, finding.high)}]"


def min_effect(finding: Finding) -> str:
    """How large the change must be to matter; empty where the finding has none."""
    if finding.min_effect is None:
        return ""
    return f"{100 * finding.min_effect:.3g} %" if finding.kind in (*_RATIOS, "share") else f"{finding.min_effect:.3g}"


def p_value(finding: Finding) -> str:
    """The p-value towards worse, two digits."""
    return "" if finding.p is None else "<1e-6" if finding.p < 1e-6 else f"{finding.p:.2g}"


def seeds(finding: Finding) -> str:
    """The number of seeds, of both runs where they differ; empty for what is not of seeds."""
    base, new = finding.seeds
    return "" if not base and not new else str(new) if base == new else f"{base}, {new}"


def listed(names: Iterable[str], most: int = NAMED) -> str:
    """The first names, and the number of the others."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def one_line(text: str) -> str:
    """The text with every line break and tab replaced by a space: a message or a name may have some."""
    return " ".join(text.split())


def _details(finding: Finding) -> list[str]:
    if not measured(finding):
        return [finding.reason]
    change = " ".join(filter(None, effect(finding)))
    limits = [
        f"{word} {text}" if text else ""
        for word, text in (("min effect", min_effect(finding)), ("p", p_value(finding)))
    ]
    count = seeds(finding)
    return [" -> ".join(ends(finding)), change, *limits, f"{count} seeds" if count else "", finding.reason]


def _form(finding: Finding) -> Format:
    """How a finding's numbers are written: counts to the last digit, clocks short, others as in a column."""
    if finding.kind == "clock":
        return thousands
    numbers = [finding.base, finding.new, finding.effect, finding.low, finding.high]
    known = [number for number in numbers if number is not None]
    if finding.kind == "count":
        return "{:,.0f}".format if all(float(number).is_integer() for number in known[:2]) else "{:,.6g}".format
    return common(known)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _percent_more(ratio: float) -> str:
    """By how many percent a ratio is above 1."""
    return f"{100 * (ratio - 1):.3g}"


def _signed(form: Format, number: float) -> str:
    text = form(number)
    return text if text.startswith("-") or not text.strip("0.") else f"+{text}"
