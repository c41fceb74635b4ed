"""Two revisions, or environments, timed in turn: is a training step as fast as it was?

Each side has a process of its own. A case is made ready on both, then they take short turns, who was second being first
in the next; only one of them computes at a time. Accused cases are measured again by fresh
processes: code and data lie elsewhere in memory then, which alone is worth some per cent.
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

Role = Literal["base", "new"]
SIDES: tuple[Role, Role] = ("base", "new")
#: A side's turn in seconds, and the turns of a round. Short ones, since what else a machine does comes and goes.
TURN, TURNS = 0.075, 4
#: Steps that a GPU makes at once.
TRIAL_STEPS = 16
#: A turn that takes so many times what it should, and so many seconds more, will not end.
PATIENCE, GRACE = 100, 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lost:
    """Why a case could not be timed, and on which side."""

    side: Role
    reason: str


@dataclass(frozen=True)
class TimedBatch:
    """Cases that train as one batch and so are timed as one; ``odd``: the word and reason if they cannot be."""

    cases: tuple[Name, ...]
    odd: tuple[Outcome, str] | None = None

    @property
    def name(self) -> Name:
        """The first of its cases."""
        return self.cases[0]


class WorkerPair:
    """The workers of both sides, one of which computes at a time; who died is started again for the next case."""

    def __init__(self, base: Command, new: Command) -> None:
        self._commands: dict[Role, Command] = {"base": base, "new": new}
        self._workers: dict[Role, Worker] = {}
        self._ends = ExitStack()

    def __enter__(self) -> WorkerPair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def worker(self, side: Role) -> Worker:
        """The worker of a side, started if need be. Raises WorkerError."""
        if side not in self._workers:
            command = self._commands[side]
            try:
                self._workers[side] = self._ends.enter_context(Worker(command))
            except WorkerError as error:
                raise WorkerError(f"{command.label} cannot be timed: {error}", lost=True) from None
        return self._workers[side]

    def batches(self) -> list[TimedBatch]:
        """What there is to time, in the order of the new side; what cannot be, and why. Raises WorkerError."""
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
                odd = (Outcome.NOT_COMPARABLE, "the base's suite says otherwise, and it cannot read the new one")
            found.append(TimedBatch(cases, odd))
        ours = {case for batch in found for case in batch.cases}
        gone = [TimedBatch((case,), (Outcome.GONE, "not in what is new")) for case in sorted(known - ours)]
        return found + gone

    def time_case(self, case: Name, rounds: int) -> Timing | Lost:
        """Time a case in so many rounds."""
        side: Role = "base"
        try:
            said = self.worker(side).prepare(case, self._commands[side].engine)
            # What the base chose, if it chose: near the border another run may choose otherwise.
            chosen = said["engine"] if said["engine"] != "serial" else self._commands["new"].engine
            steps, expected = _chunk(self.worker(side), int(said["block"]))
            replicas = {side: int(said["replicas"])}
            side = "new"
            replicas[side] = int(self.worker(side).prepare(case, chosen)["replicas"])
            timeout = GRACE + PATIENCE * expected
            self.worker(side).time(0, steps, 1, timeout=timeout)
            seconds: dict[Role, list[float]] = {"base": [], "new": []}
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
    """What is found on the speed of each case of a suite; at most ``LEVEL`` is the probability of a false alarm.

    ``floors``: by case, the share of the speed that has to be lost (or won) to matter; False: do not time; without one,
    the usual. ``cases``: only these. ``tell``: is given a line whenever there is something to tell.
    Raises WorkerError where a side cannot start at all.
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
        first = {batch.name: _told(workers, batch, rounds, tell) for batch in timed}
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
                again[batch.name] = _told(workers, batch, rounds_again(rounds, level), tell)
    return tuple(
        finding
        for batch in batches
        for finding in _findings(batch, first.get(batch.name), again.get(batch.name), level, min_effect(batch))
        if asked((finding.dataset, finding.variant))
    )


def _cases(batch: Mapping[str, Any]) -> tuple[Name, ...]:
    return tuple((str(dataset), str(variant)) for dataset, variant in batch["cases"])


def _rounds(seconds: Sequence[float], model_steps: int) -> tuple[float, ...]:
    """Seconds a model-step of each round, from those of each turn."""
    return tuple(sum(seconds[at : at + TURNS]) / (TURNS * model_steps) for at in range(0, len(seconds), TURNS))


def _chunk(worker: Worker, block: int) -> tuple[int, float]:
    """How many steps a turn has, and its seconds. Warms the case up.

    Whole blocks of noise where they are short enough: what is drawn for a block at once then counts in full each turn.
    """
    trial = min(TRIAL_STEPS, block)
    worker.time(0, trial, 1, timeout=PREPARING)
    step = min(worker.time(trial, trial, 2, timeout=PREPARING)) / trial
    if block * step < 1:
        step = worker.time(block, block, 1, timeout=PREPARING)[0] / block
    unit = next(unit for unit in (block, TRIAL_STEPS, 1) if unit * step <= TURN or unit == 1)
    steps = unit * max(1, round(TURN / (unit * step)))
    return steps, steps * step


def _told(workers: WorkerPair, batch: TimedBatch, rounds: int, tell: Tell) -> Timing | Lost:
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
