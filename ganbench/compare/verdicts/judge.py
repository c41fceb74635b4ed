"""The verdicts of a comparison: exact agreement first, then the statistics over seeds, then the counted costs.

All verdicts over the seeds of a whole suite together raise a false alarm with a probability of at most ``LEVEL``. Half
of it is for shares of seeds, whose p-values are coarse and often cannot be significant at all; half for numbers and
steps; each half with Holm's correction. Measured rates: results/measured/rates.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ganbench.compare.sides.comparable import incomparable, metric_differs
from ganbench.compare.sides.compared_run import Case, ComparedRun, Name
from ganbench.compare.verdicts.costs import costs
from ganbench.compare.verdicts.evidence import Evidence, evidence_of
from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.compare.verdicts.measures import Measure, measures
from ganbench.compare.verdicts.values import has_value
from ganbench.record.events import failed_metric
from ganbench.stats.exact_tests import boschloo, holm_tarone, tarone_k
from ganbench.stats.paired import detectable
from ganbench.suite.guard import DIVERGED

#: The probability of any false alarm in a whole suite.
LEVEL = 0.01
#: The power with which the change called ``visible`` is found.
POWER = 0.95


def compare(base: ComparedRun, new: ComparedRun, *, level: float = LEVEL) -> Comparison:
    """Judge every case of both sides.

    Args:
        base: the run or baseline to judge against
        new: the run to judge
        level: the probability that anything is called worse although nothing has changed, and the same for better

    Returns:
        The verdicts in the order of the new side's suite; cases that only the base has come last.
    """
    found: dict[Name, list[Finding]] = {name: [] for name in (*new.cases, *base.cases)}
    evidence: list[Evidence] = []
    for name, own in found.items():
        if name in new.cases:
            own += _failed(new.cases[name])
        if name not in base.cases:
            own.append(_case_finding(new.cases[name], Outcome.NEW, "not in the base"))
        elif name not in new.cases:
            own.append(_case_finding(base.cases[name], Outcome.GONE, "not in what is new"))
        elif not any(seed.status.measured for seed in base.cases[name].seeds.values()):
            own.append(_case_finding(new.cases[name], Outcome.NOT_COMPARABLE, "no seed of the base has a result"))
        elif reason := incomparable(base, new, name):
            own.append(_case_finding(new.cases[name], Outcome.NOT_COMPARABLE, reason))
        else:
            own += _unmeasured(base, new, name)
            for measure in measures(new, new.cases[name]):
                if _metric_failed(new, name, measure):
                    continue  # said by ``_failed``; its missing numbers say nothing of the training
                if _metric_failed(base, name, measure):
                    own.append(
                        _finding(new.cases[name], measure, Outcome.NOT_COMPARABLE, "its metric failed in the base")
                    )
                elif other := metric_differs(base, new, measure.of):
                    own.append(_finding(new.cases[name], measure, Outcome.NOT_COMPARABLE, other))
                elif one := evidence_of(base.cases[name], new.cases[name], measure):
                    evidence.append(one)
    for family in (("share",), ("step", "value")):
        judged = [one for one in evidence if one.measure.kind in family]
        for one, finding in zip(judged, _judge(judged, level / 2), strict=True):
            found[one.case.dataset, one.case.variant].append(finding)
    for name, own in found.items():
        if name in base.cases and name in new.cases and not incomparable(base, new, name):
            own += costs(base, new, name)
    notes = tuple(f"the base: {line}" for line in base.void)
    return Comparison(base, new, tuple(finding for own in found.values() for finding in own), notes)


def _unmeasured(base: ComparedRun, new: ComparedRun, name: Name) -> Iterator[Finding]:
    """A finding for each measure that the base has, and that no metric of the new side gives."""
    for measure in measures(replace(base, guard=new.guard), base.cases[name]):
        if measure.of != DIVERGED and measure.of not in new.columns and has_value(base.cases[name], measure):
            yield _finding(new.cases[name], measure, Outcome.GONE, "no metric of the new side measures it")


def _failed(case: Case) -> Iterator[Finding]:
    failed = [seed for seed in case.seeds.values() if not seed.status.measured]
    for line in case.failures:
        yield _case_finding(case, Outcome.FAILED, line)
    if case.void:
        yield _case_finding(case, Outcome.FAILED, f"the run is void: it {case.void}")
    if not failed:
        return
    counts = ", ".join(f"{count} x {status}" for status, count in Counter(str(seed.status) for seed in failed).items())
    why = next((f": {seed.message}" for seed in failed if seed.message), "")
    yield _case_finding(case, Outcome.FAILED, f"{counts} of {len(case.seeds)} seeds{why}")


def _metric_failed(run: ComparedRun, name: Name, measure: Measure) -> bool:
    metric = run.metric_of.get(measure.of)
    return any(failed_metric(line) == f"metric {metric}" for line in run.cases[name].failures)


def _case_finding(case: Case, outcome: Outcome, reason: str) -> Finding:
    return Finding(case.dataset, case.variant, "", "case", outcome, reason)


def _finding(case: Case, measure: Measure, outcome: Outcome, reason: str) -> Finding:
    return Finding(
        case.dataset,
        case.variant,
        measure.name,
        measure.kind,
        outcome,
        reason,
        unit=measure.unit,
        better=measure.better,
        min_effect=measure.min_effect,
    )


def _judge(evidence: Sequence[Evidence], level: float) -> list[Finding]:
    """A verdict for each measure, corrected for how many there are."""
    worse = holm_tarone([one.worse for one in evidence], level)
    better = holm_tarone([one.better for one in evidence], level)
    alpha = level / tarone_k([one.worse for one in evidence], level)
    findings = []
    for one, is_worse, is_better in zip(evidence, worse, better, strict=True):
        outcome, reason = _verdict(one, is_worse, is_better)
        findings.append(
            replace(
                _finding(one.case, one.measure, outcome, reason),
                base=one.base,
                new=one.new,
                effect=one.effect.value,
                low=one.effect.low,
                high=one.effect.high,
                p=one.worse.p,
                visible=_visible(one, alpha),
                seeds=one.seeds,
                identical=one.identical,
            )
        )
    return findings


def _verdict(one: Evidence, is_worse: bool, is_better: bool) -> tuple[Outcome, str]:
    if one.identical:
        return Outcome.SAME, "identical, seed by seed"
    # 1e-9 for rounding: a fall by 5 of 20 seeds is a fall by 0.25.
    size, min_effect = one.size, one.measure.min_effect - 1e-9
    if math.isnan(size):
        return Outcome.UNSURE, "on both sides too many seeds have no number, so the change has none"
    if is_worse and size >= min_effect:
        return Outcome.WORSE, ""
    if is_better and -size >= min_effect:
        return Outcome.BETTER, ""
    if abs(size) >= max(min_effect, 1e-12):
        return Outcome.UNSURE, "large, but too few seeds to be certain"
    return Outcome.SAME, "changed, but by less than matters" if is_worse or is_better else ""


def _visible(one: Evidence, alpha: float) -> float | None:
    """The smallest change that would have been called worse, in the measure's unit; None: none would."""
    if one.measure.kind == "share":
        total, before = one.seeds[1], one.seeds[0]
        count = round((one.base or 0.0) * before)
        falls = range(total + 1)
        if one.measure.better == "higher":
            kept = [k for k in falls if boschloo(k, total, count, before).p <= alpha and count / before - k / total > 0]
            return max(one.measure.min_effect, count / before - max(kept) / total) if kept else None
        grown = [k for k in falls if boschloo(count, before, k, total).p <= alpha and k / total - count / before > 0]
        return max(one.measure.min_effect, min(grown) / total - count / before) if grown else None
    if one.scatter is None:
        return None
    seen = detectable(one.scatter, level=2 * alpha, power=POWER)
    return None if seen is None else max(one.measure.min_effect, seen)
