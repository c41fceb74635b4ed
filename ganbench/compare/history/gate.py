"""The gate: the verdicts against a base and, where there are enough earlier runs, against what they predict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganbench.compare.history.history import history, prior_runs
from ganbench.compare.history.prediction import out_of_interval, predictable
from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.compare.verdicts.judge import LEVEL, compare


def gate(base: ComparedRun, new: ComparedRun, results: Path) -> Comparison:
    """The verdicts on ``new`` against ``base`` and the runs and baselines of its suite under ``results``.

    Where ten or more of them predict something, the base judges at half of the level, and so does the prediction on the
    side of worse (its own level is of both sides). What it calls worse replaces what the base alone says, unless that
    is worse or identical.
    """
    past = prior_runs(history(new.suite, results)[0])
    if not predictable(past, new):
        return compare(base, new)
    found = compare(base, new, level=LEVEL / 2)
    outside = {(one.case, one.measure): one for one in out_of_interval(past, new, level=LEVEL)}
    findings = []
    for one in found.findings:
        other = outside.get((one.case, one.measure))
        taken = other is not None and not one.identical and one.outcome is not Outcome.WORSE
        findings.append(replace(other, visible=one.visible) if other is not None and taken else one)
    return replace(found, findings=tuple(findings))
