"""The gate: the verdicts against a base and, where there are enough earlier runs, against their prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganbench.compare.history.history import history, prior_runs
from ganbench.compare.history.prediction import out_of_interval, predictable
from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.compare.verdicts.judge import LEVEL, compare


def gate(base: ComparedRun, new: ComparedRun, results: Path) -> Comparison:
    """Judge a run against a base, and against the earlier runs and baselines of its suite.

    If ten or more earlier runs predict a measure, each of the two comparisons has half of the level for "worse" (the
    prediction's level counts both directions). A measure that the prediction calls worse gets that verdict, unless the
    verdict against the base is worse too, or its seeds are identical to the base's.

    Args:
        base: the run or baseline to judge against
        new: the run to judge
        results: the folder of runs and baselines, in which the earlier ones are looked for

    Returns:
        The comparison with ``base``, some verdicts replaced by those of the prediction.
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
