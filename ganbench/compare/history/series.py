"""A measure of a case from run to run, oldest first: each run's value, and which may be compared with the newest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from ganbench.compare.sides.comparable import incomparable, metric_differs
from ganbench.compare.sides.compared_run import Case, ComparedRun, Name
from ganbench.compare.verdicts.costs import ends
from ganbench.compare.verdicts.finding import Kind
from ganbench.compare.verdicts.measures import MIN_EFFECTS, Measure, measures, min_effects, side_of
from ganbench.compare.verdicts.values import has_value, values
from ganbench.plugin.column import Column, find
from ganbench.stats.change_points import Shift, shifts
from ganbench.stats.intervals import median, share
from ganbench.suite.guard import DIVERGED, SPEED

#: An exact interval takes time to compute, and a history needs the same few many times.
_share = lru_cache(maxsize=1024)(share)


@dataclass(frozen=True)
class Observation:
    """One run's value: a median (infinite where half of the seeds have the worst value), a share, or a speed.

    ``at``: the run's place in the history. ``low``, ``high``: the value's 95 % interval over seeds; of a speed the
    slowest and fastest chunk. ``seeds``: how many seeds it is of. ``reason``: why it cannot be compared with the
    newest; empty where it can. ``repeated``: whether the seeds repeat exactly the numbers of an earlier run.
    """

    at: int
    value: float
    low: float | None
    high: float | None
    seeds: int
    reason: str = ""
    repeated: bool = False

    @property
    def counts(self) -> bool:
        """Whether it can be compared with the newest, and does not repeat an earlier run."""
        return not self.reason and not self.repeated


@dataclass(frozen=True)
class Series:
    """The observations of one measure of one case, oldest first.

    ``min_effect``: the smallest change that matters, in ``unit`` (of a speed a share of it); infinite where the measure
    is not judged. ``primary``: whether it is of the primary column.
    """

    dataset: str
    variant: str
    measure: str
    kind: Kind
    unit: str
    better: Literal["lower", "higher"]
    min_effect: float
    observations: tuple[Observation, ...]
    primary: bool = False

    @property
    def case(self) -> str:
        """The case as one text, ``ring8/wgan-gp``."""
        return f"{self.dataset}/{self.variant}"

    @property
    def earlier(self) -> Series:
        """The same series without its newest observation."""
        return replace(self, observations=self.observations[:-1])

    def shifts(self) -> tuple[Shift, ...]:
        """Where the level changed; ``place`` is that of an observation. Those that do not count are skipped."""
        counting = [place for place, observation in enumerate(self.observations) if observation.counts]
        found = shifts([self.observations[place].value for place in counting])
        return tuple(replace(shift, place=counting[shift.place]) for shift in found)

    def level(self) -> list[float]:
        """The values since the last shift, of the observations that count."""
        since = max((shift.place for shift in self.shifts()), default=0)
        return [observation.value for observation in self.observations[since:] if observation.counts]


def series(runs: Sequence[ComparedRun]) -> tuple[Series, ...]:
    """A series for each case and measure of runs, given oldest first; cases are in the order of the newest run.

    The measures are divergence; every column for which lower or higher is better; for each share of seeds the step from
    which it held; and the speeds.
    """
    names = dict.fromkeys(name for run in reversed(runs) for name in run.cases)
    return tuple(one for name in names for one in _of_case(runs, name))


def _of_case(runs: Sequence[ComparedRun], name: Name) -> Iterator[Series]:
    having = [(at, run) for at, run in enumerate(runs) if name in run.cases]
    newest = having[-1][1]
    primary = find(newest.columns.values(), "primary")
    repeated = _repeated([run.cases[name] for _, run in having])
    for measure in _measures(newest, newest.cases[name]):
        observations = []
        for (at, run), again in zip(having, repeated, strict=True):
            case = run.cases[name]
            if has_value(case, measure) and (numbers := values(case, measure)):
                reason = _reason(run, newest, name, measure.of)
                estimate = _estimate(list(numbers.values()), measure)
                observations.append(Observation(at, *estimate, len(numbers), reason, again))
        if observations:
            first = primary is not None and measure.name == primary.name
            yield Series(
                *name,
                measure.name,
                measure.kind,
                measure.unit,
                measure.better,
                measure.min_effect,
                tuple(observations),
                first,
            )
    min_effect = min_effects(newest, newest.cases[name]).get(SPEED, MIN_EFFECTS[SPEED])
    least = math.inf if min_effect is False else float(min_effect)
    for column in newest.columns.values():
        having_it = [(at, run) for at, run in having if column.name in run.cases[name].speed]
        if column.role == "clock" and having_it:
            timed = tuple(_timed(at, run, newest, name, column) for at, run in having_it)
            yield Series(*name, column.name, "clock", column.unit, side_of(column), least, timed)


def _measures(run: ComparedRun, case: Case) -> list[Measure]:
    """The measures of a case that are judged, and those that could be, with an infinite ``min_effect``."""
    judged = {measure.name: measure for measure in measures(run, case)}
    possible = [Measure(DIVERGED, "share", "lower", "of seeds", math.inf, DIVERGED)]
    for column in run.columns.values():
        better = side_of(column)
        if column.summary == "share":
            possible.append(Measure(column.name, "share", better, "of seeds", math.inf, column.name))
            possible.append(Measure(column.held, "step", "lower", "steps", math.inf, column.name))
        elif column.sided:
            possible.append(Measure(column.name, "value", better, column.unit, math.inf, column.name))
    return [judged.get(measure.name, measure) for measure in possible]


def _reason(run: ComparedRun, newest: ComparedRun, name: Name, measure: str) -> str:
    reason = incomparable(run, newest, name) or metric_differs(run, newest, measure)
    ours, theirs = newest.cases[name].seeds.keys(), run.cases[name].seeds.keys()
    if not reason and ours != theirs:
        # Medians of another number of seeds scatter differently.
        here, there = f"{len(theirs)} seeds", f"now {len(ours)}"
        return f"{here}, {there}" if len(ours) != len(theirs) else "other seeds"
    return reason


def _estimate(numbers: Sequence[float], measure: Measure) -> tuple[float, float | None, float | None]:
    found = _share(int(sum(numbers)), len(numbers)) if measure.kind == "share" else median(numbers)
    worst = math.inf if measure.better == "lower" else -math.inf
    return (worst if found.value is None else found.value, found.low, found.high)


def _timed(at: int, run: ComparedRun, newest: ComparedRun, name: Name, clock: Column) -> Observation:
    case = run.cases[name]
    low, high = ends(run, name, clock) or (None, None)
    reason = _reason(run, newest, name, clock.name)
    if not reason and dict(run.device) != dict(newest.device):
        reason = "another device"
    return Observation(at, case.speed[clock.name], low, high, len(case.seeds), reason)


def _repeated(cases: Sequence[Case]) -> list[bool]:
    """For each case, whether its seeds have exactly the numbers of an earlier one's.

    The same code on the same machine gives the same numbers, and a repetition does not show how numbers scatter.
    """
    return [any(same(case, earlier) for earlier in cases[:place]) for place, case in enumerate(cases)]


def same(case: Case, other: Case) -> bool:
    """Whether the seeds of two cases have exactly the same numbers, in the columns that both have."""
    if case.seeds.keys() != other.seeds.keys():
        return False
    for seed, ours in case.seeds.items():
        theirs = other.seeds[seed]
        both = ours.values.keys() & theirs.values.keys()
        if ours.status is not theirs.status or not both or any(ours.values[key] != theirs.values[key] for key in both):
            return False
    return True
