"""What happened to a seed, read off its curve: one word and the reason.

The rules are tried in this order, and the first that holds gives the word. The window is the last five evaluations with
a JSD; the last one must have one. A rule that needs a column the metrics do not fill is passed over.

* **diverged**: the seed's status says so, half of its samples are not finite, or they lie out of range.
* **discriminator collapsed**: D says the same of everything, though data and generator are not the same. Where they
  are, a constant D is the game's optimum (Goodfellow et al. 2014, proposition 1) and no failure.
* **collapsed**: at most one mode is covered, and the samples are one point, or lie at one mode that holds at most half
  of the data.
* **converged**: JSD low and all modes covered, throughout the window. A mere lower bound on the JSD never says so, nor
  a JSD without a count of modes: losing one of 8 costs only 0.045.
* **improving**: the JSD falls or the coverage rises throughout the window, or both have only just converged: training
  was too short.
* **oscillating**: the JSD or the coverage is not settled in the window, or only now and then as it should be.
* **modes lost**: settled without all modes covered: lost, or so wide that none has its share.
* **wrong shape**: settled with all modes, and the JSD is not low.

Where no modes are counted, a seed that has settled has no word.

With fewer than five evaluations nothing can be said to hold or to move: the last one decides, and the reason says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

#: How many evaluations in a row a thing must hold for.
HELD = 5
#: A JSD that counts as converged, in nats: shifting a Gaussian by 0.65 std reads as much, losing 1 of 8 modes 0.045.
CONVERGED = 0.05
#: JSDs this near to each other are settled, in nats, beyond their intervals: 0.096 is what losing 2 of 8 modes costs.
SETTLED = 0.10
#: The mode counts are settled that differ by no more than this share of the modes, and no more than one.
FLICKER = 1 / 8
#: Pairs in a window, of 10, that may be out of order in what falls or rises: by chance 1 curve in 24 has so few.
INVERSIONS = 1
#: Samples whose total std is below this share of the data's are one point. One mode of a ring of 8 has 0.014.
POINT = 0.03
#: Samples of which this share is nearest to one mode are at one mode.
ONE_MODE = 0.95
#: The least JSD of samples at a mode that holds at most half of the data (0.2158), in nats, less its noise.
HALF_LOST = 0.20
#: Logits over data and samples with less std than this are constant: D(x) differs by less than 0.0003.
CONSTANT = 1e-3
#: Samples that spread, or lie off, by more than this many total std of the data are out of range.
RANGE = 10.0


_SETTLED = ("converged", "wrong shape")


class Verdict(NamedTuple):
    """What happened to a seed, and why it is said; the word is empty where it cannot be said."""

    word: str
    reason: str


def verdict(curve: Sequence[Mapping[str, Any]], *, diverged: bool) -> Verdict:
    """The verdict on a seed from its rows, oldest first, and whether its status is diverged.

    Reads the columns jsd, jsd_low, jsd_high (nats), jsd_method, modes_covered, modes_total, largest_mode, spread,
    offset and d_spread where a row has them; None is a missing number. Without a JSD at the last evaluation only
    diverging can be told.
    """
    if diverged:
        return Verdict("diverged", "a loss or a parameter was not finite")
    if not curve:
        return Verdict("", "")
    last = curve[-1]
    if reason := _out_of_range(last):
        return Verdict("diverged", reason)
    jsd = last.get("jsd")
    if jsd is None:
        return Verdict("", "no JSD")
    if reason := _constant(last):
        return Verdict("discriminator collapsed", reason)
    if reason := _collapsed(last):
        return Verdict("collapsed", reason)
    window = [row for row in curve if row.get("jsd") is not None][-HELD:]
    word, reason = _settled(window) if len(window) == HELD else _at_last(last)
    if word == "converged" and last.get("jsd_method") == "lower bound":
        return Verdict("", f"JSD is only known to be at least {jsd:.3f}")
    if word in _SETTLED and last.get("modes_covered") is None:
        return Verdict("", f"{reason}; no modes were counted")
    if len(window) < HELD:
        reason += f"; {len(window)} of {HELD} evaluations: whether it holds cannot be judged"
    return Verdict(word, reason)


def _out_of_range(row: Mapping[str, Any]) -> str:
    # The metric has no spread where half of the samples are not finite; without modes it does not apply.
    if "spread" in row and row["spread"] is None and row.get("modes_total") is not None:
        return "too many of the samples are not finite, or too large to measure"
    for name, what in (("spread", "spread over"), ("offset", "lie off by")):
        value = row.get(name)
        # The journal has the infinities as words.
        if value is not None and not abs(float(value)) <= RANGE:
            return f"the samples {what} {float(value):.3g} total std of the data"
    return ""


def _constant(row: Mapping[str, Any]) -> str:
    spread, low = row.get("d_spread"), _low(row)
    if spread is None or spread > CONSTANT or low <= CONVERGED:
        return ""
    return f"D's logits have a std of {spread:.2g}, at JSD {row['jsd']:.3f}"


def _collapsed(row: Mapping[str, Any]) -> str:
    spread, largest, covered, total = (
        row.get(name) for name in ("spread", "largest_mode", "modes_covered", "modes_total")
    )
    if covered is not None and covered > 1:
        return ""
    if total is not None and total > 1 and largest is not None and largest >= ONE_MODE and row["jsd"] >= HALF_LOST:
        return f"one mode: {largest:.0%} of the samples are nearest to it"
    if spread is not None and spread <= POINT:
        return f"one point: the samples spread over {spread:.2g} total std of the data"
    return ""


def _settled(window: Sequence[Mapping[str, Any]]) -> Verdict:
    """The verdict on a full window that is neither diverged nor collapsed."""
    curve = [float(row["jsd"]) for row in window]
    counts, total = _counts(window)
    jsd, over = f"JSD {_between(curve, '.3f')}", f"over the last {HELD} evaluations"
    every = f"all {total} modes, " if total > 1 else ""
    all_modes = [_all_modes(row) for row in window]
    low = [value <= CONVERGED for value in curve]
    good = [both == (True, True) for both in zip(low, all_modes, strict=True)]
    if all(good):
        return Verdict("converged", f"{every}{jsd} {over}")
    inversions = sum(later >= earlier for earlier, later in combinations(curve, 2))
    if inversions <= INVERSIONS and curve[0] - curve[-1] > _noise(window[0]) + _noise(window[-1]):
        return Verdict("improving", f"JSD fell from {curve[0]:.3f} to {curve[-1]:.3f} {over}")
    if good[-1] and good == sorted(good):
        return Verdict(
            "improving", f"{every}JSD {curve[-1]:.3f}, but only for the last {sum(good)} of {HELD} evaluations"
        )
    least, most = min(window, key=lambda row: row["jsd"]), max(window, key=lambda row: row["jsd"])
    if most["jsd"] - least["jsd"] > SETTLED + _noise(least) + _noise(most):
        return Verdict("oscillating", f"{jsd} {over}")
    if counts and max(counts) - min(counts) > max(1, FLICKER * total):
        falls = sum(later < earlier for earlier, later in combinations(counts, 2))
        if counts[-1] > counts[0] and falls <= INVERSIONS:
            return Verdict("improving", f"from {counts[0]} to {counts[-1]} of {total} modes {over}")
        return Verdict("oscillating", f"{_between(counts)} of {total} modes {over}")
    if any(all_modes) and not all(all_modes):
        return Verdict("oscillating", f"{_between(counts)} of {total} modes {over}")
    if not all(all_modes):
        return Verdict("modes lost", f"{_between(counts)} of {total} modes {over}")
    if any(low):
        return Verdict("oscillating", f"{every}{jsd} {over}, at most {CONVERGED} at {sum(low)} of them")
    return Verdict("wrong shape", f"{every}{jsd} {over}")


def _at_last(row: Mapping[str, Any]) -> Verdict:
    """The verdict on a single evaluation that is neither diverged nor collapsed."""
    covered, total = row.get("modes_covered"), row.get("modes_total")
    if not _all_modes(row):
        return Verdict("modes lost", f"{covered} of {total} modes")
    every = f"all {total} modes, " if (total or 0) > 1 else ""
    return Verdict("converged" if row["jsd"] <= CONVERGED else "wrong shape", f"{every}JSD {row['jsd']:.3f}")


def _all_modes(row: Mapping[str, Any]) -> bool:
    """Whether no mode is lost. Modes that overlap hide some: what cannot be told from the data has them all."""
    covered, total = row.get("modes_covered"), row.get("modes_total")
    same = row.get("jsd_low") == 0 and row.get("jsd_high") is not None
    return covered is None or total is None or covered >= total or same


def _counts(window: Sequence[Mapping[str, Any]]) -> tuple[list[int], int]:
    """The modes covered, as ``_all_modes`` judges them, and of how many; nothing where there are none to count."""
    if any(row.get("modes_covered") is None or row.get("modes_total") is None for row in window):
        return [], 0
    total = max(row["modes_total"] for row in window)
    return [row["modes_total"] if _all_modes(row) else row["modes_covered"] for row in window], total


def _low(row: Mapping[str, Any]) -> float:
    low = row.get("jsd_low")
    return float(row["jsd"] if low is None else low)


def _noise(row: Mapping[str, Any]) -> float:
    """Half the width of the JSD's interval; 0 where it has none."""
    low, high = row.get("jsd_low"), row.get("jsd_high")
    return 0.0 if low is None or high is None or not math.isfinite(high - low) else (high - low) / 2


def _between(values: Sequence[float], form: str = "") -> str:
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"
