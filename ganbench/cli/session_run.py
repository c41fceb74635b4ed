"""A suite in a session of pytest: trained once, by the process that comes first, and judged; no pytest in here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.sides.load import load
from ganbench.compare.verdicts.finding import Comparison, Finding
from ganbench.compare.verdicts.judge import compare
from ganbench.record.lock import locked
from ganbench.report.finding import line
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.suite import Suite
from ganbench.train.device import choose


@dataclass(frozen=True)
class JudgedRun:
    """A run of a suite's selected cases, its folder, and its comparison with the base, where there is one."""

    run: ComparedRun
    folder: str
    base: str
    comparison: Comparison | None

    @property
    def line(self) -> str:
        """Where the run is and what it was judged against."""
        notes = "".join(f"; {note}" for note in (self.comparison.notes if self.comparison else ()))
        against = f"against {self.base}" if self.base else "by itself: there is no baseline"
        return f"{self.folder}, judged {against}{notes}"

    def failures(self, name: tuple[str, str]) -> Iterator[str]:
        """A line for each way in which a case, (dataset, variant), failed: a metric, control or seed."""
        case = self.run.cases[name]
        yield from (f"failed: {one}" for one in case.failures)
        if case.void:
            yield f"failed: the run is void: it {case.void}"
        seeds = case.seeds.values()
        for status in dict.fromkeys(seed.status for seed in seeds if not seed.status.measured):
            messages = [seed.message for seed in seeds if seed.status is status]
            why = next((f": {message}" for message in messages if message), "")
            yield f"failed: {len(messages)} of {len(seeds)} seeds {status}{why}"

    def reasons(self, name: tuple[str, str], strict: bool) -> list[str]:
        """Why a case, (dataset, variant), fails, a line each; ``strict``: also for what is unsure or gone."""
        wrong = (one for one in self._of(name) if one.outcome == "worse" or (strict and one.unsettled))
        return [*self.failures(name), *map(line, wrong)]

    def not_comparable(self, name: tuple[str, str]) -> str:
        """Why a case, (dataset, variant), cannot be compared; empty where it can."""
        found = (one for one in self._of(name) if one.kind == "case" and one.outcome == "not comparable")
        return next(map(line, found), "")

    def _of(self, name: tuple[str, str]) -> list[Finding]:
        """The findings on a case, except failed seeds: those are in ``failures``, compared or not."""
        counted: Iterable[Finding] = () if self.comparison is None else self.comparison.counted()
        return [one for one in counted if (one.dataset, one.variant) == name and one.outcome != "failed"]


@dataclass
class SessionRun:
    """The run of a suite in one session, whichever process trains it.

    ``path``: the suite's file; ``out``: where runs are kept; ``against``: the base that was asked for, else empty;
    ``homes``: folders that may hold baselines/; ``shared``: the folder that all processes of the session know;
    ``command``: the session's command line.
    """

    path: Path
    suite: Suite
    out: Path
    against: str
    homes: Sequence[Path]
    shared: Path
    command: Sequence[str]
    _known: tuple[str, ComparedRun | None] | None = field(default=None, init=False)

    def judged(self, selected: Suite) -> JudgedRun:
        """Train the selected part of the suite, unless another process of the session has, or does it now; judge it.

        Raises OSError or ValueError where it cannot be run, or the base cannot be read.
        """
        # Before training, so that a damaged base is reported at once.
        name, base = self.base()
        folder = self._trained(selected)
        now = load(folder)
        return JudgedRun(now, folder, name, None if base is None else compare(base, now))

    def base(self) -> tuple[str, ComparedRun | None]:
        """The base's name, and the base; ("", None) where there is none to judge against. Raises ValueError."""
        if self._known is None:
            usual = (home / "baselines" / f"{self.suite.name}.csv" for home in (*self.homes, self.out))
            name = self.against or next((str(path) for path in usual if path.is_file()), "")
            self._known = name, load(name, suite=self.suite.name) if name else None
        return self._known

    def _trained(self, selected: Suite) -> str:
        key = hashlib.sha256(f"{self.path}\n{selected.to_yaml()}".encode()).hexdigest()
        place = self.shared / key
        with locked(place.with_suffix(".lock"), wait=math.inf):
            if not place.exists():
                place.write_text(self._train(selected), encoding="utf-8")
            return place.read_text(encoding="utf-8")

    def _train(self, selected: Suite) -> str:
        # A run of a part of the suite goes to another folder: it must not be taken for the suite's newest run.
        result = run(
            selected,
            out=self.out if selected == self.suite else self.out / "partial",
            device=choose("auto"),
            engine="auto",
            command=self.command,
            observer=RunObserver(),
        )
        return str(result.folder.path)
