"""A comparison in sentences, which all its formats share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ganbench.compare.sides.compared_run import Name
from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.report.finding import brief, listed, measured, one_line, place

_LEADING = (Outcome.WORSE, Outcome.FAILED, Outcome.UNSURE, Outcome.BETTER)
#: The kinds that scatter by chance; counts are exact.
_SCATTERS = ("value", "share", "step", "clock")


def gravest(findings: Sequence[Finding]) -> Outcome:
    """The gravest outcome; ``same`` for no findings."""
    return min(findings, key=place).outcome if findings else Outcome.SAME


def cases(comparison: Comparison) -> dict[Name, list[Finding]]:
    """The findings on each case that count, in the suite's order; an empty list where nothing was judged."""
    found: dict[Name, list[Finding]] = {name: [] for name in (*comparison.new.cases, *comparison.base.cases)}
    for finding in comparison.counted():
        found.setdefault((finding.dataset, finding.variant), []).append(finding)
    return found


def leading(comparison: Comparison) -> Outcome:
    """The outcome that the headline begins with. As for the exit code, worse goes before failed."""
    words = {finding.outcome for finding in comparison.counted()}
    return next((word for word in (*_LEADING, Outcome.SAME) if word in words), Outcome.NOT_COMPARABLE)


def headline(comparison: Comparison) -> str:
    """What matters most, in one sentence: ``worse: ring8/wgan-gp (jsd +0.052, min effect 0.02); others: 11 same``."""
    found = {name: findings for name, findings in cases(comparison).items() if findings}
    first = leading(comparison)
    named: set[Name] = set()
    parts = []
    for word in dict.fromkeys((first, Outcome.FAILED)) if first in _LEADING else ():
        those = {name: [one for one in findings if one.outcome is word] for name, findings in found.items()}
        those = {name: some for name, some in those.items() if some}
        if those:
            named |= those.keys()
            texts = [f"{some[0].case} ({listed(map(brief, some))})" for some in those.values()]
            parts.append(f"{word}: {listed(texts)}")
    words = Counter(gravest(findings) for name, findings in found.items() if name not in named)
    if first is Outcome.SAME:
        parts = [_alike(found, words.pop(Outcome.SAME, 0))]
        if parts == [""]:  # each case has something that could not be judged
            measures = sum(one.outcome is Outcome.SAME for one in comparison.counted())
            parts = [f"same: {plural(measures, 'measure')}"]
    others = ", ".join(f"{words[word]} {word}" for word in Outcome if words[word])
    if not parts:
        return f"nothing was compared: {others}" if others else "nothing was compared"
    return one_line("; ".join([*parts, *([f"others: {others}"] if others else [])]))


def _alike(found: Mapping[Name, Sequence[Finding]], count: int) -> str:
    """How many cases are the same, and how many of them identical; empty where none is."""
    identical = sum(all(one.identical for one in findings) for findings in found.values())
    text = f"same: {plural(count, 'case')}" + (f", of which {identical} identical" if identical else "")
    return text if count else ""


def statements(findings: Sequence[Finding]) -> list[tuple[Outcome, str]]:
    """Each finding without numbers as a sentence, one line for all with the same reason; gravest first."""
    where: dict[tuple[Outcome, str, str], list[str]] = {}
    for finding in sorted((one for one in findings if not measured(one)), key=place):
        where.setdefault((finding.outcome, finding.measure, finding.reason), []).append(finding.case)
    return [
        (word, one_line(f"{measure + ' of ' if measure else ''}{listed(names)}" + (f": {reason}" if reason else "")))
        for (word, measure, reason), names in where.items()
    ]


def reasons(findings: Iterable[Finding]) -> list[str]:
    """A line for each distinct reason of findings that have numbers, with the cases and measures that have it."""
    whose: dict[str, list[str]] = {}
    for finding in findings:
        if finding.reason:
            whose.setdefault(finding.reason, []).append(f"{finding.case} {finding.measure}")
    return [one_line(f"{listed(names)}: {reason}") for reason, names in whose.items()]


def same(comparison: Comparison) -> str:
    """How much is the same, ``Same: 31 measures of 12 cases; identical, seed by seed: 9 cases.``; empty if nothing."""
    alike = [finding for finding in comparison.counted() if finding.outcome is Outcome.SAME]
    if not alike:
        return ""
    whole = [findings for findings in cases(comparison).values() if findings and all(one.identical for one in findings)]
    count = len({(one.dataset, one.variant) for one in alike})
    text = f"Same: {plural(len(alike), 'measure')} of {plural(count, 'case')}"
    return f"{text}; identical, seed by seed: {plural(len(whole), 'case')}." if whole else f"{text}."


def visible(comparison: Comparison) -> list[str]:
    """The smallest change for the worse that would have been seen of each measure, in the case where it is the largest.

    And the measures and cases where no change would have been seen, or where that is not known.
    """
    judged = [one for one in comparison.counted() if one.kind in _SCATTERS and measured(one)]
    measures = list(dict.fromkeys(one.measure for one in judged))
    shown: list[str] = []
    blind: list[str] = []
    unknown: list[str] = []
    for measure in measures:
        those = [one for one in judged if one.measure == measure]
        known = [one for one in those if one.visible is not None and not _hopeless(one)]
        if known:
            shown.append(_shows(max(known, key=lambda one: one.visible or 0.0)))
        for some, texts in (
            ([one for one in those if _hopeless(one)], blind),
            ([one for one in those if one.visible is None and not _hopeless(one) and not one.identical], unknown),
        ):
            if some:
                names = [one.case for one in some]
                texts.append(f"{measure} of " + (listed(names) if len(some) < len(those) else _every(names)))
    lines = []
    if shown:
        lines.append(f"With {_seeds(judged)} this would have been seen: {'; '.join(shown)}.")
    if blind:
        lines.append(f"No change for the worse, however large, would have been seen in: {'; '.join(blind)}.")
    if unknown:
        lines.append(
            f"How large a change would have been seen is not known of: {'; '.join(unknown)}. The seeds are too few "
            "for pairs, not the same on both sides, or do not scatter."
        )
    if not any(map(measured, comparison.counted())):
        lines.append("Nothing was judged, so nothing could have been seen.")
    return [one_line(text) for text in lines]


def plural(count: int, noun: str) -> str:
    """``1 case``, ``2 cases``."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _shows(finding: Finding) -> str:
    """The smallest change for the worse that a finding's seeds would have shown."""
    size, total = finding.visible or 0.0, finding.seeds[1]
    if finding.kind == "share":
        count = math.ceil(size * total - 1e-9)
        return f"{finding.measure} in {count} of {total} seeds {'fewer' if finding.better == 'higher' else 'more'}"
    if finding.kind == "step":
        return f"{finding.measure} later by {size:.3g} steps"
    if finding.kind == "clock":
        return f"{finding.measure} lower by {100 * size:.2g} %"
    direction = "lower" if finding.better == "higher" else "higher"
    return f"{finding.measure} {direction} by {size:.2g} {finding.unit}".rstrip()


def _hopeless(finding: Finding) -> bool:
    """Whether no change for the worse, however large, would have shown: a share that cannot fall far enough, say."""
    return finding.visible is None if finding.kind == "share" else finding.kind == "clock" and finding.visible == 1


def _seeds(findings: Sequence[Finding]) -> str:
    counts = sorted({count for finding in findings for count in finding.seeds if count})
    if not counts:
        return "these rounds"
    return plural(counts[0], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def _every(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"all {len(names)} cases"
