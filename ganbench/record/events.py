"""The events of a run: one frozen class for each kind, and how each is written as a line of the journal.

The journal, the observers of a run and ``Record.replay`` share these classes. ``to_json`` and ``from_json`` are the
only code that knows the keys of a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ganbench.core.messages import shown
from ganbench.record.status import Status
from ganbench.record.told import text

T = TypeVar("T")
#: What the start of a cell need not tell.
_WHERE: Mapping[str, type] = {"chunk": int, "host": str, "device": str, "disturbed": str}


@dataclass(frozen=True)
class SeedRow:
    """What was measured of a seed at one evaluation: its status, and a value for each column.

    The value of the column ``note`` is a text: the metrics that did not apply, and why. ``failed``: a line for each
    metric that failed, and has no values.
    """

    seed: int
    status: Status
    values: Mapping[str, Any]
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedOutcome:
    """How a seed ended: its status, at which step, and a message, empty where there is nothing to add."""

    seed: int
    status: Status
    step: int
    message: str = ""


@dataclass(frozen=True)
class CellStarted:
    """The cell begins to train, or continues in another way.

    ``engine`` is empty for a reference. ``note`` tells what is special, for example why the seeds train one by one.
    ``replicas`` counts the models of the batch, ``chunk`` those of them that train at once. ``host``, ``device``: where
    it trains, and on what kind of device. ``disturbed``: by what else on that machine, so that clocks measure nothing
    true. What an older ganbench does not tell is 0 or empty.
    """

    cell: str
    engine: str
    note: str
    replicas: int
    chunk: int = 0
    host: str = ""
    device: str = ""
    disturbed: str = ""


@dataclass(frozen=True)
class CellMeasured:
    """The speed and the cost of the cell were measured: a value for each column that is not of one seed.

    ``failed``: as of a ``SeedRow``.
    """

    cell: str
    values: Mapping[str, Any]
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """The cell was evaluated after ``step`` generator steps; ``rows`` are of those seeds that still train."""

    cell: str
    step: int
    rows: tuple[SeedRow, ...]


@dataclass(frozen=True)
class CellEnded:
    """The cell is over; ``seeds`` has an outcome for each of its seeds."""

    cell: str
    seeds: tuple[SeedOutcome, ...]


@dataclass(frozen=True)
class Pictured:
    """A picture of the cell at one evaluation was written, see ``record.pictures``.

    ``file``, ``data``: the SHA-256 of its file, and of that of its data set.
    """

    cell: str
    step: int
    file: str
    data: str


@dataclass(frozen=True)
class RunFinished:
    """Every cell of the run has ended and the tables are written."""


#: The kinds of events, as the lines of a journal name them.
KINDS = ("start", "speed", "evaluation", "end", "pictures", "finished")
CellEvent = CellStarted | CellMeasured | Evaluated | Pictured | CellEnded
Event = CellEvent | RunFinished


def failed_metric(line: str) -> str:
    """Which metric a line of ``failed`` is about: ``metric NAME``."""
    return line.partition(": ")[0]


def to_json(event: Event) -> dict[str, Any]:
    """The event as one line of the journal: ``event`` names its kind, the other keys are its fields."""
    match event:
        case CellStarted(cell, engine, note, replicas, chunk, host, device, disturbed):
            told = {"event": "start", "cell": cell, "engine": engine, "note": note, "replicas": replicas}
            where = {"chunk": chunk, "host": host, "device": device, "disturbed": disturbed}
            return told | {name: value for name, value in where.items() if value}
        case CellMeasured(cell, values, failed):
            return {"event": "speed", "cell": cell, "values": values} | _failed(failed)
        case Evaluated(cell, step, rows):
            flat = [{"seed": row.seed, "status": row.status, **row.values, **_failed(row.failed)} for row in rows]
            return {"event": "evaluation", "cell": cell, "step": step, "rows": flat}
        case CellEnded(cell, seeds):
            outcomes = [
                {"seed": one.seed, "status": one.status, "step": one.step, "message": one.message} for one in seeds
            ]
            return {"event": "end", "cell": cell, "seeds": outcomes}
        case Pictured(cell, step, file, data):
            return {"event": "pictures", "cell": cell, "step": step, "file": file, "data": data}
        case RunFinished():
            return {"event": "finished"}


def from_json(line: Any) -> Event | None:
    """The event in a line of the journal, or None where its kind is not known here.

    Raises ValueError, in one line, where the line names no kind, or lacks what an event of its kind has.
    """
    kind = _read(line, "event", str)
    match kind:
        case "start":
            cell, engine, note = (_read(line, key, str) for key in ("cell", "engine", "note"))
            where: dict[str, Any] = {name: _read(line, name, kind) for name, kind in _WHERE.items() if name in line}
            return CellStarted(cell, engine, note, _read(line, "replicas", int), **where)
        case "speed":
            return CellMeasured(_read(line, "cell", str), _read(line, "values", dict), _lines(line))
        case "evaluation":
            rows = tuple(_seed_row(row) for row in _read(line, "rows", list))
            return Evaluated(_read(line, "cell", str), _read(line, "step", int), rows)
        case "end":
            return CellEnded(_read(line, "cell", str), tuple(_outcome(seed) for seed in _read(line, "seeds", list)))
        case "pictures":
            cell, file, data = (_read(line, key, str) for key in ("cell", "file", "data"))
            return Pictured(cell, _read(line, "step", int), file, data)
        case "finished":
            return RunFinished()
    return None


def _seed_row(row: Any) -> SeedRow:
    seed, status = _read(row, "seed", int), Status(_read(row, "status", str))
    values = {name: value for name, value in row.items() if name not in ("seed", "status", "failed")}
    return SeedRow(seed, status, values, _lines(row))


def _failed(lines: tuple[str, ...]) -> dict[str, Any]:
    """What a line of the journal has of metrics that failed: nothing where none did."""
    return {"failed": list(lines)} if lines else {}


def _lines(line: Any) -> tuple[str, ...]:
    return tuple(text(str(one)) for one in _read(line, "failed", list)) if "failed" in line else ()


def _outcome(seed: Any) -> SeedOutcome:
    status = Status(_read(seed, "status", str))
    return SeedOutcome(_read(seed, "seed", int), status, _read(seed, "step", int), _read(seed, "message", str))


_NOUNS = {str: "text", int: "a whole number", dict: "a mapping", list: "a list"}


def _read(line: Any, key: str, kind: type[T]) -> T:
    value = line.get(key) if isinstance(line, Mapping) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{key!r} must be {_NOUNS[kind]}, not {shown(value)}")
    return text(value) if isinstance(value, str) else value  # type: ignore[return-value]
