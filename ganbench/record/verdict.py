"""What happened to a seed, judged from its curve: one word and the reason.

The rules are tried in this order, and the first that applies gives the word. A rule finds its numbers by the roles of
the columns; the primary column, in this text the JSD, brings its thresholds. The window is the last five evaluations
with a JSD; the last evaluation must have one. A rule that needs a role that no column has, or a threshold that is not
known, is skipped.

* **diverged**: the seed's status is diverged, half of its samples are not finite, or they lie out of range.
* **discriminator collapsed**: D gives the same logit to all points, though data and generator are not the same. Where
  they are, a constant D is the game's optimum (Goodfellow et al. 2014, proposition 1) and no failure.
* **collapsed**: at most one mode is covered, and the samples are one point, or lie at one mode that holds at most half
  of the data.
* **converged**: JSD low and all modes covered, throughout the window. A lower bound on the JSD is not enough, nor is a
  JSD without a count of modes: losing one of 8 costs only 0.045.
* **improving**: the JSD falls or the coverage rises throughout the window, or both have only just converged: training
  was too short.
* **oscillating**: the JSD or the coverage is not settled in the window, or is good enough at some evaluations only.
* **modes lost**: settled without all modes covered: they are lost, or so wide that none has its share.
* **wrong shape**: settled with all modes, and the JSD is not low.

Where no modes are counted, a seed that has settled gets no word.

With fewer than five evaluations nothing can be called settled or moving: the last one decides, and the reason tells so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ganbench.plugin.column import Column
from ganbench.record.curve_point import CurvePoint, PrimaryScale, curve_points

#: For how many evaluations in a row something must be true to count as held.
HELD = 5
#: Mode counts are settled where they differ by no more than this share of the modes, or by one.
FLICKER = 1 / 8
#: Of the 10 pairs in a window, so many may be out of order in a fall or rise: by chance 1 curve in 24 has so few.
INVERSIONS = 1
#: Samples are one point where their total std is below this share of the data's. One mode of a ring of 8 has 0.014.
POINT = 0.03
#: Samples are at one mode where this share of them is nearest to it.
ONE_MODE = 0.95
#: D is constant where its logits over data and samples have a smaller std: D(x) differs by less than 0.0003.
CONSTANT = 1e-3
#: Samples are out of range where they spread, or lie off, by more than this many total std of the data.
RANGE = 10.0


_SETTLED = ("converged", "wrong shape")


class Verdict(NamedTuple):
    """What happened to a seed, and the reason; the word is empty where it is not known."""

    word: str
    reason: str


def verdict(curve: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, diverged: bool) -> Verdict:
    """The verdict on a seed.

    Args:
        curve: The seed's rows, oldest first; None is a missing number.
        columns: The run's columns. Without a primary one, or a number of it at the last evaluation, only divergence can
            be found.
        diverged: Whether the seed's status is diverged.

    Returns:
        The word and the reason; an empty word where it is not known.
    """
    if diverged:
        return Verdict("diverged", "a loss or a parameter was not finite")
    if not curve:
        return Verdict("", "")
    points, primary = curve_points(curve, columns), PrimaryScale.of(columns)
    last = points[-1]
    if reason := _out_of_range(last):
        return Verdict("diverged", reason)
    if primary is None or last.value is None:
        return Verdict("", f"no {primary.label if primary else 'primary number'}")
    if reason := _constant(last, primary):
        return Verdict("discriminator collapsed", reason)
    if reason := _collapsed(last, primary):
        return Verdict("collapsed", reason)
    window = [one for one in points if one.value is not None][-HELD:]
    word, reason = _settled(window, primary) if len(window) == HELD else _at_last(last, primary)
    if word == "converged" and last.bound:
        at = "at least" if primary.sign > 0 else "at most"
        return Verdict("", f"{primary.label} is only known to be {at} {primary.number(last.value)}")
    if word in _SETTLED and (last.covered is None or last.total is None):
        return Verdict("", f"{reason}; no modes were counted")
    if len(window) < HELD:
        reason += f"; {len(window)} of {HELD} evaluations: whether it holds cannot be judged"
    return Verdict(word, reason)


def _out_of_range(point: CurvePoint) -> str:
    # The metric has no std where half of the samples are not finite; without modes it does not apply.
    if point.scale_missing and point.total is not None:
        return "too many of the samples are not finite, or too large to measure"
    for value, what in ((point.scale, "spread over"), (point.location, "lie off by")):
        if value is not None and not abs(value) <= RANGE:
            return f"the samples {what} {value:.3g} total std of the data"
    return ""


def _constant(point: CurvePoint, primary: PrimaryScale) -> str:
    if point.logits is None or point.logits > CONSTANT or primary.converged(point.least):
        return ""
    return f"D's logits have a std of {point.logits:.2g}, at {primary.text(point.known)}"


def _collapsed(point: CurvePoint, primary: PrimaryScale) -> str:
    if point.covered is not None and point.covered > 1:
        return ""
    limit = primary.thresholds.half_lost
    if limit is not None and point.at_one_mode >= ONE_MODE and point.known >= primary.sign * limit:
        return f"one mode: {point.at_one_mode:.0%} of the samples are nearest to it"
    if point.scale is not None and point.scale <= POINT:
        return f"one point: the samples spread over {point.scale:.2g} total std of the data"
    return ""


def _settled(window: Sequence[CurvePoint], primary: PrimaryScale) -> Verdict:
    """The verdict on a full window that is neither diverged nor collapsed."""
    curve = [point.known for point in window]
    counts, total = _counts(window, primary)
    values, over = primary.text(*curve), f"over the last {HELD} evaluations"
    every = f"all {total} modes, " if total > 1 else ""
    all_modes = [_all_modes(point, primary) for point in window]
    good_enough = [primary.converged(value) for value in curve]
    good = [both == (True, True) for both in zip(good_enough, all_modes, strict=True)]
    if all(good):
        return Verdict("converged", f"{every}{values} {over}")
    inversions = sum(later >= earlier for earlier, later in combinations(curve, 2))
    if inversions <= INVERSIONS and curve[0] - curve[-1] > window[0].noise + window[-1].noise:
        moved = f"{primary.label} {'fell' if primary.sign > 0 else 'rose'}"
        return Verdict("improving", f"{moved} from {primary.number(curve[0])} to {primary.number(curve[-1])} {over}")
    if good[-1] and good == sorted(good):
        return Verdict(
            "improving", f"{every}{primary.text(curve[-1])}, but only for the last {sum(good)} of {HELD} evaluations"
        )
    best, worst = min(window, key=lambda point: point.known), max(window, key=lambda point: point.known)
    if worst.known - best.known > primary.thresholds.settled + best.noise + worst.noise:
        return Verdict("oscillating", f"{values} {over}")
    if counts and max(counts) - min(counts) > max(1, FLICKER * total):
        falls = sum(later < earlier for earlier, later in combinations(counts, 2))
        if counts[-1] > counts[0] and falls <= INVERSIONS:
            return Verdict("improving", f"from {counts[0]} to {counts[-1]} of {total} modes {over}")
        return Verdict("oscillating", f"{_between(counts)} of {total} modes {over}")
    if not all(all_modes):
        word = "oscillating" if any(all_modes) else "modes lost"
        return Verdict(word, f"{_between(counts)} of {total} modes {over}")
    if any(good_enough):
        at = f"{'at most' if primary.sign > 0 else 'at least'} {primary.thresholds.converged}"
        return Verdict("oscillating", f"{every}{values} {over}, {at} at {sum(good_enough)} of them")
    return Verdict("wrong shape", f"{every}{values} {over}")


def _at_last(point: CurvePoint, primary: PrimaryScale) -> Verdict:
    """The verdict on a single evaluation that is neither diverged nor collapsed."""
    if not _all_modes(point, primary):
        return Verdict("modes lost", f"{point.covered} of {point.total} modes")
    every = f"all {point.total} modes, " if (point.total or 0) > 1 else ""
    return Verdict(
        "converged" if primary.converged(point.known) else "wrong shape", f"{every}{primary.text(point.known)}"
    )


def _all_modes(point: CurvePoint, primary: PrimaryScale) -> bool:
    """Whether no mode is lost. Overlapping modes hide some: a JSD that may be the data's own has them all."""
    if point.covered is None or point.total is None or point.covered >= point.total:
        return True
    both = point.low is not None and point.high is not None
    return both and point.least <= primary.sign * primary.thresholds.best


def _counts(window: Sequence[CurvePoint], primary: PrimaryScale) -> tuple[list[int], int]:
    """The modes covered, as ``_all_modes`` judges them, and of how many; empty and 0 where they are not counted."""
    pairs = [(point.covered, point.total) for point in window]
    known = [(covered, total) for covered, total in pairs if covered is not None and total is not None]
    if len(known) < len(window):
        return [], 0
    judged = [_all_modes(point, primary) for point in window]
    counts = [total if all_ else covered for (covered, total), all_ in zip(known, judged, strict=True)]
    return counts, max(total for _, total in known)


def _between(values: Sequence[int]) -> str:
    low, high = f"{min(values)}", f"{max(values)}"
    return low if low == high else f"{low} to {high}"
