"""Interleaved timing of two revisions, or two environments: is a training step as fast as it was?

Each side, base and new, has a process of its own. A case is made ready on both sides, then they take short turns; the
side that was second in one pair of turns is first in the next, and only one side computes at a time. Cases that look
slower or faster are flagged and measured again by new processes: code and data then lie elsewhere in memory, and that
alone changes the speed by some per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Any, Literal

from ganbench.compare.sides.compared_run import Name
from ganbench.compare.speed.timing import ROUNDS, Timing, alpha_of, flagged, outcome_of, rounds_again
from ganbench.compare.speed.worker_process import PREPARING, Command, Worker, WorkerError
from ganbench.compare.verdicts.finding import Finding, Outcome
from ganbench.compare.verdicts.measures import MIN_EFFECTS
from ganbench.suite.guard import SPEED

Side = Literal["base", "new"]
SIDES: tuple[Side, Side] = ("base", "new")
#: Seconds of a side's turn, and turns in a round. Turns are short, since the load of the machine changes with time.
TURN, TURNS = 0.075, 4
#: Steps of one CUDA graph, which a GPU computes at once.
GRAPH_STEPS = 16
#: A turn fails when it takes longer than ``PATIENCE`` times its expected seconds and ``GRACE`` seconds more.
PATIENCE, GRACE = 100, 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lost:
    """Why a case could not be timed, and on which side."""

    side: Side
    reason: str


@dataclass(frozen=True)
class TimedBatch:
    """Cases that train as one batch, and so are timed as one; ``odd``: the verdict and the reason if they cannot be."""

    cases: tuple[Name, ...]
    odd: tuple[Outcome, str] | None = None

    @property
    def name(self) -> Name:
        """The first of its cases."""
        return self.cases[0]


class WorkerPair:
    """The workers of both sides; one of them computes at a time. One that has died is started again when needed."""

    def __init__(self, base: Command, new: Command) -> None:
        self._commands: dict[Side, Command] = {"base": base, "new": new}
        self._workers: dict[Side, Worker] = {}
        self._ends = ExitStack()

    def __enter__(self) -> WorkerPair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def worker(self, side: Side) -> Worker:
        """The worker of a side, started if it does not run. Raises WorkerError."""
        if side not in self._workers:
            command = self._commands[side]
            try:
                self._workers[side] = self._ends.enter_context(Worker(command))
            except WorkerError as error:
                raise WorkerError(f"{command.label} cannot be timed: {error}", lost=True) from None
        return self._workers[side]

    def batches(self) -> list[TimedBatch]:
        """All batches of cases, in the order of the new side, also those that cannot be timed. Raises WorkerError."""
        base, new = (self.worker(side).about for side in ("base", "new"))
        theirs = {_cases(batch): batch for batch in base["batches"]}
        known = {case for cases in theirs for case in cases}
        found = []
        for batch in new["batches"]:
            cases = _cases(batch)
            odd = None
            if not known & set(cases):
                odd = (Outcome.NEW, "not in the base")
            elif cases not in theirs:
                odd = (Outcome.NOT_COMPARABLE, "trained together with other cases in the base")
            elif base["suite"] != new["suite"] and theirs[cases]["work"] != batch["work"]:
                odd = (Outcome.NOT_COMPARABLE, "the base cannot read this suite, and its own trains the case otherwise")
            found.append(TimedBatch(cases, odd))
        ours = {case for batch in found for case in batch.cases}
        gone = [TimedBatch((case,), (Outcome.GONE, "not in what is new")) for case in sorted(known - ours)]
        return found + gone

    def time_case(self, case: Name, rounds: int) -> Timing | Lost:
        """Time a case on both sides in ``rounds`` rounds."""
        side: Side = "base"
        try:
            ready = self.worker(side).prepare(case, self._commands[side].engine)
            # The engine that the base chose, for both: where two engines are nearly as fast, the choice may vary.
            chosen = ready["engine"] if ready["engine"] != "serial" else self._commands["new"].engine
            steps, expected = _chunk(self.worker(side), int(ready["block"]))
            replicas = {side: int(ready["replicas"])}
            side = "new"
            replicas[side] = int(self.worker(side).prepare(case, chosen)["replicas"])
            timeout = GRACE + PATIENCE * expected
            self.worker(side).time(0, steps, 1, timeout=timeout)
            seconds: dict[Side, list[float]] = {"base": [], "new": []}
            for turn in range(rounds * TURNS):
                for side in (SIDES, SIDES[::-1])[turn % 2]:
                    seconds[side] += self.worker(side).time((turn + 1) * steps, steps, 1, timeout=timeout)
        except WorkerError as error:
            if error.lost and side in self._workers:
                self._workers.pop(side).close()
            return Lost(side, str(error))
        base, new = (_rounds(seconds[side], steps * replicas[side]) for side in SIDES)
        return Timing(base, new)


def time_interleaved(
    base: Command,
    new: Command,
    *,
    min_effects: Mapping[Name, float | bool] | None = None,
    cases: frozenset[Name] | None = None,
    rounds: int = ROUNDS,
    tell: Tell = lambda line: None,
) -> tuple[Finding, ...]:
    """Compare the speed of each case of a suite; the probability of any false alarm is at most ``LEVEL``.

    Args:
        base: how to start the worker of the base
        new: how to start the worker of the new side
        min_effects: for a case, the share of the speed that must be lost (or gained) to matter; False: do not time the
            case. Cases that are not in it have the usual share
        cases: time only these; None: all
        rounds: how many rounds each case is timed in
        tell: called with a line of text for each case that was timed

    Returns:
        A finding for each case, in the order of the new side's suite.

    Raises:
        WorkerError: where a side cannot start at all
    """
    given = min_effects or {}

    def asked(case: Name) -> bool:
        return given.get(case) is not False and (cases is None or case in cases)

    def min_effect(batch: TimedBatch) -> float:
        usual = MIN_EFFECTS[SPEED]
        return min(float(given.get(case, usual)) for case in batch.cases if asked(case))

    with WorkerPair(base, new) as workers:
        batches = [batch for batch in workers.batches() if any(map(asked, batch.cases))]
        timed = [batch for batch in batches if batch.odd is None]
        first = {batch.name: _time_and_tell(workers, batch, rounds, tell) for batch in timed}
    level = alpha_of(sum(isinstance(timing, Timing) for timing in first.values()))
    again: dict[Name, Timing | Lost] = {}
    suspects = [
        batch
        for batch in timed
        if isinstance(timing := first[batch.name], Timing) and flagged(timing, min_effect(batch))
    ]
    if suspects:
        tell(f"measured again: {', '.join('/'.join(batch.name) for batch in suspects)}")
        with WorkerPair(base, new) as workers:
            for batch in suspects:
                again[batch.name] = _time_and_tell(workers, batch, rounds_again(rounds, level), tell)
    return tuple(
        finding
        for batch in batches
        for finding in _findings(batch, first.get(batch.name), again.get(batch.name), level, min_effect(batch))
        if asked((finding.dataset, finding.variant))
    )


def _cases(batch: Mapping[str, Any]) -> tuple[Name, ...]:
    return tuple((str(dataset), str(variant)) for dataset, variant in batch["cases"])


def _rounds(seconds: Sequence[float], model_steps: int) -> tuple[float, ...]:
    """Seconds of a model-step in each round, from the seconds of each turn."""
    return tuple(sum(seconds[at : at + TURNS]) / (TURNS * model_steps) for at in range(0, len(seconds), TURNS))


def _chunk(worker: Worker, block: int) -> tuple[int, float]:
    """How many steps a turn has, and its seconds; warms the case up.

    Whole blocks of random numbers if they are short enough: each turn then includes all the drawing for its steps.
    """
    first = min(GRAPH_STEPS, block)
    worker.time(0, first, 1, timeout=PREPARING)
    step = min(worker.time(first, first, 2, timeout=PREPARING)) / first
    if block * step < 1:
        step = worker.time(block, block, 1, timeout=PREPARING)[0] / block
    unit = next(unit for unit in (block, GRAPH_STEPS, 1) if unit * step <= TURN or unit == 1)
    steps = unit * max(1, round(TURN / (unit * step)))
    return steps, steps * step


def _time_and_tell(workers: WorkerPair, batch: TimedBatch, rounds: int, tell: Tell) -> Timing | Lost:
    timing = workers.time_case(batch.name, rounds)
    name = "/".join(batch.name)
    if isinstance(timing, Lost):
        tell(f"{name}: not timed ({timing.side}): {timing.reason}")
    else:
        tell(f"{name}: {timing.ratio:.2f} times as fast as the base, {timing.rounds} rounds")
    return timing


def _findings(
    batch: TimedBatch, first: Timing | Lost | None, again: Timing | Lost | None, alpha: float, min_effect: float
) -> Iterator[Finding]:
    for dataset, variant in batch.cases:
        if first is None:
            assert batch.odd is not None
            yield Finding(dataset, variant, "", "case", *batch.odd)
            continue
        lost = next((timing for timing in (first, again) if isinstance(timing, Lost)), None)
        if lost is not None:
            outcome = Outcome.FAILED if lost.side == "new" else Outcome.NOT_COMPARABLE
            who = "" if lost.side == "new" else "the base "
            yield Finding(dataset, variant, SPEED, "clock", outcome, f"{who}could not be timed: {lost.reason}")
            continue
        assert isinstance(first, Timing)
        judged = again if isinstance(again, Timing) else None
        last = judged or first
        low, high = last.interval or (None, None)
        outcome, reason = outcome_of(first, judged, alpha, min_effect)
        yield Finding(
            dataset,
            variant,
            SPEED,
            "clock",
            outcome,
            reason,
            unit="1/s",
            better="higher",
            base=1 / median(last.base),
            new=1 / median(last.new),
            effect=last.ratio,
            low=low,
            high=high,
            min_effect=min_effect,
            p=last.slower.p,
            visible=last.visible(alpha, min_effect),
        )
