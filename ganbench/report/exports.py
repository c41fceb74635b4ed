"""A run's numbers in the formats of other tools, so that the dashboards that read them work."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.plugin.column import Column, interval_of
from ganbench.plugin.role import SECONDS
from ganbench.record.record import Record
from ganbench.record.tables.tables import as_rows, table

#: The version of pytest-benchmark whose layout this is.
_LAYOUT = "5.3.1"
_HOW = (
    "{unit}, {what}: fastest, median and slowest moment are kept, and rounds, data, stddev and quartiles are of these "
    "three; mean is the median, ops 1 / mean"
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Export:
    """The content of the file, and what of the run it cannot hold, a line each; ``count``: the number of its cases."""

    content: dict[str, Any]
    count: int
    left_out: tuple[str, ...]


def pytest_benchmark(record: Record, run: Mapping[str, Any]) -> Export:
    """The JSON of ``pytest --benchmark-json``, a benchmark for each trained row that has a speed.

    ``run``: the content of run.json. ``fullname`` is ``suites::<suite>::<dataset>/<variant>``, ``group`` the data set.
    Times are seconds, of the run's first clock (seconds a model-step, of the metric throughput). Of the moments that
    were timed only the fastest, the median and the slowest are known: they are the ``data``, three ``rounds``, and all
    statistics are of these as pytest-benchmark defines them, but for ``mean``, which is their median, and ``ops``, 1 /
    mean: a dashboard then draws the numbers of table.csv. ``extra_info``: the other numbers of the row in table.csv.
    """
    benchmarks, left_out = [], []
    clock = _clock(record)
    for row in _trained(record):
        name = f"{row['dataset']}/{row['variant']}"
        seconds = [] if clock is None else sorted(clock.seconds(row))
        if clock is None or len(seconds) < 3:
            left_out.append(f"{name}: no speed was measured")
            continue
        benchmarks.append(
            {
                "group": row["dataset"],
                "name": name,
                "fullname": f"suites::{run['suite']}::{name}",
                "params": None,
                "param": None,
                "extra_info": {"statistics": clock.how} | _extra(row, record),
                "options": {"disable_gc": False, "timer": "perf_counter", "warmup": True},
                "stats": _stats(seconds),
            }
        )
    content = {
        "machine_info": _machine(run),
        "commit_info": _commit(run),
        "benchmarks": benchmarks,
        "datetime": run.get("created"),
        "version": _LAYOUT,
    }
    return Export(content, len(benchmarks), tuple(left_out))


def bencher(record: Record, run: Mapping[str, Any]) -> Export:
    """Bencher Metric Format: ``{"<suite>/<dataset>/<variant>": {measure: {value, lower_value, upper_value}}}``.

    ``latency`` in nanoseconds and ``throughput`` a second, of the run's first clock, between its slowest and fastest
    moment; medians and shares of seeds with their intervals; what else is one number for all seeds, such as counts.
    Numbers only: what is infinite or missing is left out, and named where it is the median itself.
    """
    content: dict[str, Any] = {}
    left_out = []
    clock = _clock(record)
    for row in _trained(record):
        name = f"{row['dataset']}/{row['variant']}"
        measures = {} if clock is None else clock.measures(row)
        for column in _kept(record):
            value, *interval = (_number(row.get(key)) for key in _fills(column))
            if value is not None:
                measures[column.name] = _metric(value, *interval)
            elif math.isinf(float(row.get(_fills(column)[0]) or 0)):
                left_out.append(f"{name}: {column.name} is infinite for half of the seeds")
        if measures:
            content[f"{run['suite']}/{name}"] = measures
        else:
            left_out.append(f"{name}: nothing was measured")
    return Export(content, len(content), tuple(left_out))


#: What ``--format`` takes.
EXPORTS: Mapping[str, Callable[[Record, Mapping[str, Any]], Export]] = {
    "pytest-benchmark": pytest_benchmark,
    "bencher": bencher,
}


@dataclass(frozen=True)
class _Clock:
    """The clock of a run: its column, and those of its slowest and fastest moment, if there are any."""

    column: Column
    low: Column | None
    high: Column | None

    @property
    def how(self) -> str:
        """What the seconds are, in one line."""
        unit = "seconds" if self.column.unit in SECONDS else "seconds, of rates a second"
        return _HOW.format(unit=unit, what=self.column.doc)

    def rates(self, row: Row) -> list[float | None]:
        """The clock's number of a row, its least and its greatest, as rates a second."""
        columns = (self.column, self.low, self.high)
        known = [None if column is None else _number(row.get(column.name)) for column in columns]
        if (unit := SECONDS.get(self.column.unit)) is None:
            return known
        middle, least, most = (1 / (number * unit) if number else None for number in known)
        return [middle, most, least]

    def seconds(self, row: Row) -> list[float]:
        """The same in seconds, without what is not known."""
        return [1 / rate for rate in self.rates(row) if rate is not None and rate > 0]

    def measures(self, row: Row) -> dict[str, dict[str, float]]:
        """The two measures that Bencher has for speed; none where the row has no speed."""
        rate, low, high = self.rates(row)
        if not rate:
            return {}
        inverse = [1e9 / end if end else None for end in (rate, high, low)]
        return {"latency": _metric(*inverse), "throughput": _metric(rate, low, high)}


def _clock(record: Record) -> _Clock | None:
    """The first clock of a run that has both ends, or else its first; None where it has none."""
    clocks = [
        _Clock(column, *interval_of(record.columns, column.name)) for column in record.columns if column.role == "clock"
    ]
    return next((one for one in clocks if one.low and one.high), clocks[0] if clocks else None)


def _trained(record: Record) -> list[dict[str, Any]]:
    """The rows of table.csv that were trained, infinities as text."""
    frame = table(record)
    return as_rows(frame[~frame["reference"].astype(bool)])


def _kept(record: Record) -> list[Column]:
    """The columns with a number for a row that is no clock, nor part of another column."""
    return [
        column
        for column in record.columns
        if column.summary in ("median", "share", "same")
        and not column.is_time
        and column.role not in ("low", "high", "total")
    ]


def _fills(column: Column) -> tuple[str, ...]:
    """The value of a column in table.csv, and the ends of its interval if it has one."""
    return column.fills[:1] if column.summary == "same" else column.fills[:3]


def _extra(row: Row, record: Record) -> dict[str, Any]:
    fixed = ("seeds", "done", "diverged", "failed", "verdicts", "engine", "arithmetic")
    times = [name for column in record.columns if column.is_time for name in column.fills[:1]]
    names = [name for column in _kept(record) for name in _fills(column)]
    return {name: row[name] for name in (*fixed, *names, *times)}


def _stats(data: list[float]) -> dict[str, Any]:
    """The statistics of three times in ascending order."""
    least, middle, most = data
    # The quartiles of three values as pytest-benchmark has them.
    q1, q3 = 0.75 * least + 0.25 * middle, 0.25 * middle + 0.75 * most
    iqr = q3 - q1
    spread = statistics.stdev(data)
    beyond_sd = sum(not middle - spread <= one <= middle + spread for one in data)
    inside = [one for one in data if q1 - 1.5 * iqr <= one <= q3 + 1.5 * iqr]
    beyond_iqr = len(data) - len(inside)
    return {
        "min": least,
        "max": most,
        "mean": middle,
        "stddev": spread,
        "rounds": len(data),
        "median": middle,
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_iqr,
        "stddev_outliers": beyond_sd,
        "outliers": f"{beyond_sd};{beyond_iqr}",
        "ld15iqr": inside[0],
        "hd15iqr": inside[-1],
        "ops": 1 / middle,
        "total": sum(data),
        "data": data,
        "iterations": 1,
    }


def _machine(run: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json has of pytest-benchmark's machine_info, and all its content on device and versions."""
    device, versions = run.get("device", {}), run.get("versions", {})
    return {
        "processor": device.get("cpu"),
        "system": str(versions.get("platform", "")).partition("-")[0],
        "python_version": versions.get("python"),
        "cpu": {"brand_raw": device.get("cpu"), "count": device.get("cores")},
        "device": device,
        "versions": versions,
    }


def _commit(run: Mapping[str, Any]) -> dict[str, Any]:
    git = run.get("project") or {}
    return {
        "id": git.get("commit", "unversioned"),
        "time": None,
        "author_time": None,
        "dirty": git.get("dirty", False),
        "project": "ganbench",
        "branch": "(unknown)",
    }


def _metric(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float]:
    ends = {"value": value, "lower_value": low, "upper_value": high}
    return {name: end for name, end in ends.items() if end is not None}


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    if value is None or isinstance(value, str):
        return None
    return float(value) if math.isfinite(value) else None
