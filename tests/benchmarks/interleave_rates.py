"""How often a race in turn finds a step that is 20 % slower, and how often one that is not: measured on this machine.

    python tests/benchmarks/interleave_rates.py --seconds 360 --keep rounds.json
    python tests/benchmarks/interleave_rates.py --read rounds.json

The cases of the smoke suite are timed in turn by this checkout against itself, and against a copy of it that does every
fifth step twice. Each stretch of 8 rounds is a first measurement; what is measured again are the 16 rounds of the next
time that a case was made ready. Then suites are drawn from the stretches of the checkout against itself, their cases
slower by 20 % or not. Run it beside other work, too: that is what it is for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganbench.compare.speed.checkout import HOME
from ganbench.compare.speed.interleave import Lost, WorkerPair
from ganbench.compare.speed.timing import ROUNDS, Timing, alpha_of, flagged, outcome_of, rounds_again
from ganbench.compare.speed.worker_process import commands
from ganbench.compare.verdicts.finding import Outcome
from ganbench.compare.verdicts.measures import MIN_EFFECTS
from ganbench.plugin import shipped
from ganbench.suite.guard import SPEED

FLOOR = MIN_EFFECTS[SPEED]
#: Stretches of 8 rounds in a row.
STRETCHES = 2
SLOWER = 0.2
#: Appended to the copy: of every five steps one is done twice.
PLANTED = f"""

_advance, _owed = Trainer.advance, [0.0]


def _slower(self, state, begin, end):
    after = _advance(self, state, begin, end)
    _owed[0] += {SLOWER} * (end - begin)
    more = int(_owed[0])
    _owed[0] -= more
    if more:
        _advance(self, state, begin, begin + more)
    return after


Trainer.advance = _slower
"""


class Stretch(NamedTuple):
    """8 rounds of a case, and which time it was made ready for."""

    case: str
    lap: tuple[int, int]
    timing: Timing


@contextmanager
def slower_copy() -> Iterator[Path]:
    """A checkout like this, but for a step that takes 20 % longer."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(HOME / "ganbench", copy / "ganbench", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "plugins").symlink_to(shipped.folder("plugins"))
        with (copy / "ganbench" / "train" / "cell.py").open("a") as file:
            file.write(PLANTED)
        yield copy


def measure(seconds: float, engine: str) -> dict[str, list[Stretch]]:
    """Real rounds: of this checkout against itself (``same``), and against the slower copy (``slower``)."""
    found: dict[str, list[Stretch]] = {"same": [], "slower": []}
    base, new = commands(shipped.folder("suites") / "smoke.yaml", device="cpu", engine=engine)
    until, laps = time.monotonic() + seconds, 0
    with slower_copy() as copy:
        while time.monotonic() < until:
            with WorkerPair(base, new) as same, WorkerPair(base, replace(new, source=copy)) as slower:
                for heat, (kind, track) in product(same.batches(), (("same", same), ("slower", slower))):
                    if time.monotonic() > until:
                        break
                    laps += 1
                    lap = track.time_case(heat.name, STRETCHES * ROUNDS)
                    if isinstance(lap, Lost):
                        raise SystemExit(f"{heat.name}: {lap.reason}")
                    for first in range(0, lap.rounds, ROUNDS):
                        part = Timing(lap.base[first : first + ROUNDS], lap.new[first : first + ROUNDS])
                        found[kind].append(Stretch("/".join(heat.name), (0, laps), part))
                        print(f"{kind:7} {'/'.join(heat.name):22} {part.ratio:.3f} {_words(part)}", flush=True)
    return found


def _words(part: Timing) -> str:
    low, high = part.interval or (0, 0)
    return f"({low:.3f} to {high:.3f}), p {part.slower.p:.3f}{', flagged' if flagged(part, FLOOR) else ''}"


def real(stretches: list[Stretch]) -> tuple[int, int]:
    """How many of the real stretches are called worse, measured again in another lap; of how many."""
    laps = {one.lap: joined([other for other in stretches if other.lap == one.lap]) for one in stretches}
    worse = 0
    for one in stretches:
        # The next lap, and after the last the first.
        again = laps[min(laps, key=lambda lap: (lap <= one.lap, lap))]
        if flagged(one.timing, FLOOR):
            worse += outcome_of(one.timing, again, alpha_of(3), FLOOR)[0] is Outcome.WORSE
    return worse, len(stretches)


def joined(stretches: list[Stretch]) -> Timing:
    """The rounds of some stretches as one."""
    base, new = (tuple(x for one in stretches for x in getattr(one.timing, side)) for side in ("base", "new"))
    return Timing(base, new)


def drawn(
    stretches: list[Stretch], cases: int, slower: float, tries: int, random: np.random.Generator
) -> tuple[float, float]:
    """The share of suites with a case called worse, and of cases; every case is slower by so much."""
    level = alpha_of(cases)

    def some(rounds: int) -> Timing:
        base: list[float] = []
        new: list[float] = []
        while len(base) < rounds:
            own = stretches[random.integers(len(stretches))].timing
            # Which of the two equal sides is called the new one is by chance.
            sides = (own.base, own.new) if random.random() < 0.5 else (own.new, own.base)
            base += sides[0]
            new += sides[1]
        return Timing(tuple(base[:rounds]), tuple(one * (1 + slower) for one in new[:rounds]))

    worse = np.zeros(tries)
    for at in range(tries):
        for _ in range(cases):
            first = some(ROUNDS)
            if flagged(first, FLOOR):
                again = some(rounds_again(ROUNDS, level))
                worse[at] += outcome_of(first, again, level, FLOOR)[0] is Outcome.WORSE
    return float((worse > 0).mean()), float(worse.mean()) / cases


def main() -> None:
    """Measure or read, and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=360)
    parser.add_argument("--engine", default="eager")
    parser.add_argument("--keep", type=Path, help="write the rounds here")
    parser.add_argument("--read", type=Path, nargs="+", help="read the rounds of these in place of measuring")
    asked = parser.parse_args()
    if asked.read:
        found = {"same": [], "slower": []}
        for number, file in enumerate(asked.read):
            for kind, rows in json.loads(file.read_text()).items():
                # Laps are numbered in each file from 1.
                found[kind] += [Stretch(case, (number, lap), Timing(*map(tuple, both))) for case, lap, both in rows]
    else:
        found = measure(asked.seconds, asked.engine)
    if asked.keep:
        rows = {
            kind: [[one.case, one.lap[1], [one.timing.base, one.timing.new]] for one in stretches]
            for kind, stretches in found.items()
        }
        asked.keep.write_text(json.dumps(rows))
    scatter = [np.log(np.array(one.timing.base) / np.array(one.timing.new)) for one in found["same"]]
    print(
        f"a round's log ratio scatters by {np.median([one.std(ddof=1) for one in scatter]):.3f} (median of stretches)"
    )
    for kind, name in (("same", "false alarms"), ("slower", "found, 20 % slower")):
        worse, tried = real(found[kind])
        print(f"real, {name}: {worse} of {tried}")
    random = np.random.default_rng(0)
    for cases in (3, 12, 40):
        suites, _ = drawn(found["same"], cases, 0.0, 500, random)
        _, each = drawn(found["same"], cases, SLOWER, 60, random)
        print(f"drawn, {cases} cases: false alarms in {suites:.1%} of 500 suites; found {each:.1%} of {60 * cases}")


if __name__ == "__main__":
    main()
