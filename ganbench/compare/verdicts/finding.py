"""What a comparison finds: for each case and measure a verdict, and the numbers that it is based on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ganbench.compare.sides.compared_run import ComparedRun


class Outcome(StrEnum):
    """The verdicts, the gravest first."""

    FAILED = "failed"
    WORSE = "worse"
    UNSURE = "unsure"
    NOT_COMPARABLE = "not comparable"
    GONE = "gone"
    NEW = "new"
    BETTER = "better"
    SAME = "same"


#: What is judged: the case as a whole, a number of each seed, a share of the seeds, the step at which each seed reached
#: something, and the cost of a step, counted or by the clock.
Kind = Literal["case", "value", "share", "step", "count", "clock"]


@dataclass(frozen=True)
class Finding:
    """The verdict on one measure of one case, ``new`` against ``base``.

    ``measure``: a column's name, "diverged", or "" where the case as a whole is meant (``kind`` case: new, gone,
    failed, not comparable). ``base``, ``new``: medians, shares (0 to 1), counts, or steps a second; None: there is no
    number. ``effect``: new minus base, of clocks and counts new over base, with its 95 % interval ``low`` to ``high``
    if it has one. ``min_effect``: how large it must be to matter. ``p``: one-sided, towards worse, uncorrected.
    ``visible``: the smallest change for the worse that these seeds would have shown. ``seeds``: how many the base and
    the new side have. ``identical``: whether all seeds have the same numbers. ``advice``: it changes no exit code.
    """

    dataset: str
    variant: str
    measure: str
    kind: Kind
    outcome: Outcome
    reason: str
    unit: str = ""
    better: Literal["lower", "higher", "neither"] = "neither"
    base: float | None = None
    new: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    min_effect: float | None = None
    p: float | None = None
    visible: float | None = None
    seeds: tuple[int, int] = (0, 0)
    identical: bool = False
    advice: bool = False

    @property
    def case(self) -> str:
        """The case as one text, ``ring8/wgan-gp``."""
        return f"{self.dataset}/{self.variant}"

    @property
    def unsettled(self) -> bool:
        """Whether ``--strict`` fails for it: unsure and towards worse, gone, or not comparable.

        A change that removes a case, a metric or the comparability of a number could hide that it made things worse.
        """
        open_ = self.outcome in (Outcome.GONE, Outcome.NOT_COMPARABLE) or (
            self.outcome is Outcome.UNSURE and self.towards_worse
        )
        return open_ and not self.advice

    @property
    def towards_worse(self) -> bool:
        """Whether the change, sure or not, is for the worse."""
        if self.effect is None or self.better == "neither":
            return False
        even = 1.0 if self.kind in ("count", "clock") else 0.0
        return self.effect > even if self.better == "lower" else self.effect < even


@dataclass(frozen=True)
class Comparison:
    """All findings, in the suite's order, and notes on the comparison as a whole."""

    base: ComparedRun
    new: ComparedRun
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def counted(self) -> Iterable[Finding]:
        """The findings that decide the exit code."""
        return (finding for finding in self.findings if not finding.advice)

    def exit_code(self, *, strict: bool = False) -> int:
        """0 fine, 1 worse, 3 failed or nothing measured, 4 unsettled (only if ``strict``); the first of 1, 3, 4 counts.

        Worse comes before failed, since it is what a comparison looks for.
        """
        outcomes = {finding.outcome for finding in self.counted()}
        if Outcome.WORSE in outcomes:
            return 1
        if Outcome.FAILED in outcomes or not outcomes & {Outcome.BETTER, Outcome.SAME, Outcome.UNSURE}:
            return 3
        return 4 if strict and any(finding.unsettled for finding in self.findings) else 0
