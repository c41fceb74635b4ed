"""What a comparison finds: for each case and measure one word, which means one thing, and what it rests on."""

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


#: What is judged: the case as a whole, a number of each seed, a share of the seeds, the step at which each seed got
#: somewhere, what a step costs by counting and by the clock.
Kind = Literal["case", "value", "share", "step", "count", "clock"]


@dataclass(frozen=True)
class Finding:
    """The verdict on one measure of one case, ``new`` against ``base``.

    ``measure``: a column's name, "diverged", or "" where the case as a whole is meant (``kind`` case: new, gone,
    failed, not comparable). ``base``, ``new``: medians, shares (0 to 1), counts, or steps a second; None:
    none. ``effect``: new minus base, of clocks and counts their ratio, with its 95 % interval ``low`` to ``high`` if it
    has one. ``min_effect``: how large it must be to matter. ``p``: one-sided, towards worse, uncorrected.
    ``visible``: the smallest change for the worse that these seeds would have shown. ``seeds``: of the base and the new
    side.
    ``identical``: no seed says anything else. ``advice``: changes no exit code.
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
    """All findings, in the suite's order, and what to know about them as a whole."""

    base: ComparedRun
    new: ComparedRun
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def counted(self) -> Iterable[Finding]:
        """The findings that decide the exit code."""
        return (finding for finding in self.findings if not finding.advice)

    def exit_code(self, *, strict: bool = False) -> int:
        """0 fine, 1 worse, 3 failed or nothing measured, 4 unsettled where that is asked for; the gravest counts.

        Worse goes before failed: it is what was looked for, and it was found.
        """
        words = {finding.outcome for finding in self.counted()}
        if Outcome.WORSE in words:
            return 1
        if Outcome.FAILED in words or not words & {Outcome.BETTER, Outcome.SAME, Outcome.UNSURE}:
            return 3
        return 4 if strict and any(finding.unsettled for finding in self.findings) else 0
