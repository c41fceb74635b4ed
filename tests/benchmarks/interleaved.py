"""Timing that a noisy machine cannot bend: all peers of a case take turns, so that whatever disturbs hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Spread(NamedTuple):
    """The median over rounds, and the lowest and the highest round."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Peer:
    """Something that makes steps: ``run(steps)`` returns when they are done.

    A step of it is ``models`` model-steps. It makes whole multiples of ``unit``: an engine that draws its noise for 64
    steps at once is timed over whole draws, or a round would have it free, or pay too much. ``device``: what it runs
    on, where that is not torch's to say.
    """

    name: str
    run: Callable[[int], None]
    models: float
    unit: int = 1
    device: str = ""

    def seconds(self, steps: int) -> float:
        begin = time.perf_counter()
        self.run(steps)
        return time.perf_counter() - begin

    def steps(self, seconds: float) -> int:
        """How many steps take about so long; whatever is compiled on the way is compiled here."""
        steps = self.unit
        while True:
            self.run(steps)
            took = self.seconds(steps)
            if took > seconds / 2:
                return steps
            steps = max(2 * steps, round(steps * seconds / took))
            # Many steps as multiples of 64, which every peer can make without compiling for what is left over.
            unit = self.unit if steps < 64 else 64
            steps = unit * max(1, round(steps / unit))


@dataclass
class Rounds:
    """The model-steps a second of each peer in each round; ``steps``: how many steps each makes a round."""

    peers: Sequence[Peer]
    steps: Sequence[int]
    rates: dict[str, list[float]] = field(default_factory=dict)

    def once(self) -> None:
        """One more round: each peer in its turn."""
        for peer, steps in zip(self.peers, self.steps, strict=True):
            rate = steps * peer.models / peer.seconds(steps)
            self.rates.setdefault(peer.name, []).append(rate)

    def ratio(self, one: str, other: str) -> Spread:
        """How many times as fast one peer is as another in the same round."""
        return Spread.of([a / b for a, b in zip(self.rates[one], self.rates[other], strict=True)])
