"""The reasons why two runs were compared in nothing, which no single finding has."""

from __future__ import annotations

from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.report.finding import one_line
from ganbench.report.sentences import headline, statements

TITLE = "nothing was compared"


def why_nothing(comparison: Comparison) -> tuple[str, ...]:
    """The headline and a line for each reason; empty where something was compared, or has failed."""
    counted = list(comparison.counted())
    if comparison.exit_code() != 3 or any(finding.outcome is Outcome.FAILED for finding in counted):
        return ()
    reasons = (f"{word}: {text}" for word, text in statements(counted))
    return tuple(map(one_line, (headline(comparison), *reasons, *comparison.notes)))
