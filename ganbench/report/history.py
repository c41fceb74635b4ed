"""The history of a suite for a person: a chart of each series, its shifts, and a line for each point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from ganbench.compare.history.history import MeasuredRun
from ganbench.compare.history.prediction import LEVEL, expected
from ganbench.compare.history.series import Observation, Series
from ganbench.core.messages import suggest
from ganbench.report.figures import SIGNS, Figures, interval
from ganbench.report.grid import print_line, show_grid
from ganbench.report.numbers import Format, common, thousands

#: From low to high; then what is infinite, and what cannot be compared with the newest.
_BLOCKS = {True: ("_.-=+*#", "!", "?"), False: ("▁▂▃▄▅▆▇█", "∞", "·")}
_SHIFT = {True: "|", False: "│"}
#: So many points, the newest, stand in the table of a series.
MOST = 20


def show_history(points: Sequence[MeasuredRun], found: Sequence[Series], console: Console) -> None:
    """Print each series, as wide as there is room.

    Args:
        points: The runs of the history, oldest first.
        found: The series over these runs, see ``compare.history.series``.
        console: Where to print.
    """
    for one in found:
        plain = console.options.ascii_only
        form = form_of(one)
        head = f"{one.case}  {title_of(one)}"
        print_line(console, head, "bold")
        room = (console.width if console.is_terminal else max(console.width, 120)) - 2
        print_line(console, f"  {chart(one, max(room, 1), plain=plain)}", "")
        for line in remarks(points, one):
            print_line(console, f"  {line}", "yellow" if line.startswith("shift") else "dim")
        print_line(console, "", "")
        _table(points, one, form, console)


def pick(found: Sequence[Series], cases: Sequence[str], measures: Sequence[str]) -> tuple[Series, ...]:
    """The series with the given cases and measures.

    Args:
        found: All series.
        cases: The cases; all if empty.
        measures: The measures, ``all`` for every one; the primary one if empty, or the first after divergence where
            there is no primary one.

    Returns:
        The series in their order.

    Raises:
        ValueError: No series has such a case or measure.
    """
    known = {"case": [one.case for one in found], "measure": [one.measure for one in found]}
    for kind, wanted in (("case", cases), ("measure", [name for name in measures if name != "all"])):
        for name in wanted:
            if name not in known[kind]:
                raise ValueError(f"--{kind} {name}: unknown {kind}{suggest(name, dict.fromkeys(known[kind]))}")
    # The first measure is divergence, which is seldom of interest.
    primary = [one.measure for one in found if one.primary]
    usual = [*primary, *known["measure"][1:]][:1]
    shown = known["measure"] if "all" in measures else measures or usual
    return tuple(one for one in found if (not cases or one.case in cases) and one.measure in shown)


def as_object(
    suite: str, points: Sequence[MeasuredRun], found: Sequence[Series], notes: Sequence[str]
) -> dict[str, Any]:
    """The series as one object that JSON can hold: None for missing, "inf" for infinite.

    Args:
        suite: The suite's name.
        points: The runs of the history, oldest first.
        found: The series over these runs.
        notes: Lines that the reader should know.

    Returns:
        The object.
    """
    return {"suite": suite, "series": [_series(points, one) for one in found], "notes": list(notes)}


def _series(points: Sequence[MeasuredRun], one: Series) -> dict[str, Any]:
    band, level = expected(one), one.level()
    shifts = [
        {
            "at": shift.place,
            "commit": points[one.observations[shift.place].at].commit or None,
            "before": _json(shift.before),
            "after": _json(shift.after),
            "p": shift.p,
        }
        for shift in one.shifts()
    ]
    return {
        "dataset": one.dataset,
        "variant": one.variant,
        "measure": one.measure,
        "kind": one.kind,
        "unit": one.unit,
        "better": one.better,
        "points": [_observation(points[observation.at], observation) for observation in one.observations],
        "shifts": shifts,
        "expected": None if band is None else {"low": band[0], "high": band[1], "points": len(level)},
    }


def _observation(point: MeasuredRun, observation: Observation) -> dict[str, Any]:
    return {
        "date": point.when.isoformat(),
        "source": point.source,
        "run": point.name,
        "commit": point.commit or None,
        "reason": point.reason or None,
        "value": _json(observation.value),
        "low": _json(observation.low),
        "high": _json(observation.high),
        "seeds": observation.seeds,
        "comparable": not observation.reason,
        "not_comparable": observation.reason or None,
        "repeated": observation.repeated,
    }


def _json(value: float | None) -> float | str | None:
    return str(value) if value is not None and math.isinf(value) else value


def chart(one: Series, width: int, *, plain: bool) -> str:
    """The values as a line of block characters, with a bar before each shift.

    Args:
        one: The series.
        width: The number of characters; the newest observations that fit are drawn.
        plain: Whether to use ASCII alone.

    Returns:
        The line.
    """
    blocks, infinite, other = _BLOCKS[plain]
    finite = [
        observation.value
        for observation in one.observations
        if not observation.reason and math.isfinite(observation.value)
    ]
    least, most = min(finite, default=0.0), max(finite, default=0.0)
    shifts = {shift.place for shift in one.shifts()}
    text = ""
    for place, observation in enumerate(one.observations):
        text += _SHIFT[plain] if place in shifts else ""
        if observation.reason:
            text += other
        elif math.isinf(observation.value):
            text += infinite
        else:
            # All alike: in the middle.
            height = (observation.value - least) / (most - least) if most > least else 0.5
            text += blocks[round(height * (len(blocks) - 1))]
    return text[-width:]


def remarks(points: Sequence[MeasuredRun], one: Series) -> list[str]:
    """Lines on a series: its shifts, and the expected value of the next run."""
    form = form_of(one)
    lines = []
    for shift in one.shifts():
        observation = one.observations[shift.place]
        before = max(place for place in range(shift.place) if one.observations[place].counts)
        commits = [points[one.observations[place].at].commit[:10] for place in (before, shift.place)]
        where = f" ({commits[0]}..{commits[1]})" if all(commits) and commits[0] != commits[1] else ""
        lines.append(
            f"shift on {day(points[observation.at].when)}{where}: {form(shift.before)} -> {form(shift.after)} "
            f"({change(one, shift.before, shift.after)}), p {'<0.001' if shift.p < 0.001 else f'{shift.p:.3f}'}"
        )
    interval = expected(one)
    count = len(one.level())
    if interval is not None:
        low, high = map(form, interval)
        lines.append(f"the next should read {low} to {high} ({1 - LEVEL:.0%} of the time; from {count} points)")
    if repeated := sum(observation.repeated and not observation.reason for observation in one.observations):
        lines.append(f"{repeated} of {len(one.observations)} say the same as an earlier one, seed by seed: not counted")
    return lines


def change(one: Series, before: float, after: float) -> str:
    """The change of a value, with its sign; of a speed the ratio.

    Args:
        one: The series.
        before: The level before the change, in the series' unit.
        after: The level after it.

    Returns:
        The text.
    """
    if one.kind == "clock":
        return f"x {after / before:.3g}" if before else "x inf"
    form = form_of(one)
    apart = after - before
    return ("+" if apart > 0 else "") + form(apart)


def title_of(one: Series) -> str:
    """The measure and its unit."""
    unit = f" ({one.unit})" if one.unit else ""
    return one.measure.replace("_", " ") + unit


def form_of(one: Series) -> Format:
    """One format for all numbers of a series."""
    if one.kind == "clock":
        return thousands
    numbers = [number for one in one.observations for number in (one.value, one.low, one.high) if number is not None]
    return common(numbers)


def day(when: datetime) -> str:
    """The day of a run."""
    return f"{when:%Y-%m-%d}"


def note(observation: Observation) -> str:
    """Why an observation does not count; empty where it does."""
    return observation.reason or ("as before, seed by seed" if observation.repeated else "")


def _table(points: Sequence[MeasuredRun], one: Series, form: Format, console: Console) -> None:
    signs = SIGNS[console.options.ascii_only]
    rows = one.observations[-MOST:]
    origins = [points[observation.at] for observation in rows]
    values = tuple(
        (form(observation.value), interval(observation.low, observation.high, form, signs)) for observation in rows
    )
    columns = [
        Figures("value", one.measure.replace("_", " "), one.unit, values),
        _words("commit", (point.commit[:10] or signs.none for point in origins)),
        _words("note", map(note, rows)),
        _words("from", (f"{point.source} {point.name}" for point in origins)),
        Figures("seeds", "seeds", "", tuple((str(observation.seeds), "") for observation in rows)),
    ]
    kept = [column for column in columns if any(cell_len(number) for number, _ in column.cells)]
    names = [f"{point.when:%Y-%m-%d %H:%M}" for point in origins]
    dropped = show_grid(console, [one.case] * len(rows), names, kept, [not observation.counts for observation in rows])
    if len(one.observations) > MOST:
        print_line(console, f"and {len(one.observations) - MOST} earlier: --json has all", "dim")
    if dropped:
        print_line(console, f"No room for: {', '.join(column.name for column in dropped)}", "dim")


def _words(name: str, texts: Iterable[str]) -> Figures:
    return Figures(name, name, "", tuple((text, "") for text in texts), words=True)
