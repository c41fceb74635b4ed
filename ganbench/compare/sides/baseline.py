"""Baselines: the numbers of a run in two small files that git keeps and shows the changes of.

results/baselines/<suite>.csv     a row for each dataset, variant and seed
results/baselines/<suite>.json    the protocol, the device, the speed, and the history of baselines
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ganbench.compare.sides.baseline_reader import read
from ganbench.compare.sides.baseline_seal import SEAL, digest
from ganbench.compare.sides.compared_run import Case, ComparedRun
from ganbench.compare.sides.description import compared_run, describe_run, rows
from ganbench.core.disk import make_folder, write
from ganbench.plugin.column import OlderFormatError
from ganbench.record.folder import RunFolder
from ganbench.record.status import Status

#: Where baselines are kept, from a repository's top.
HOME = Path("results/baselines")


@dataclass(frozen=True)
class Saved:
    """What saving a baseline has done: ``written`` is false where the same numbers were already there."""

    path: Path
    suite: str
    rows: int
    written: bool


def save(folder: RunFolder, home: Path, reason: str | None = None) -> Saved:
    """Make a run its suite's baseline.

    A baseline with the same numbers is left as it is.

    Args:
        folder: The run.
        home: The folder of baselines.
        reason: Why the expected numbers have changed; needed where they differ from those of the baseline that is
            there.

    Returns:
        Where the baseline is, and whether it was written.

    Raises:
        ValueError: In one line: the run cannot be a baseline, its numbers differ and there is no reason, or the
            baseline that is there is damaged.
    """
    table, about = describe_run(folder)
    _check_run(folder, table, about["cases"])
    path = home / f"{_file_name(about['suite'])}.csv"
    reason = " ".join((reason or "").split())
    history: list[dict[str, Any]] = []
    if (beside := path.with_name(f"{path.stem}.json")).exists():
        try:
            before, known = open_baseline(path)
            change = _change(compared_run(before, known, ""), compared_run(table, about, ""))
        except OlderFormatError:
            known, change = json.loads(_content(beside)), "it was made by an older ganbench"
        history = known.get("history", [])
        if not reason and change:
            raise ValueError(f"{path}: {change}; to accept that, say why: --reason '...'")
        if not change and (not reason or known["run"] == about["run"]):
            return Saved(path, about["suite"], len(table), False)
    entry = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": about["run"],
        "commit": (about["git"] or {}).get("commit"),
        "reason": reason or "first",
    }
    make_folder(home)
    whole = {**about, "history": [*history, entry]}
    # Of what a reader will find.
    found, known = read(as_csv(table).encode(), _as_json(whole).encode(), str(path))
    whole = {**about, SEAL: digest(rows(found), known), "history": whole["history"]}
    # The JSON last: without it there is no baseline.
    write(path, as_csv(table))
    write(beside, _as_json(whole))
    return Saved(path, about["suite"], len(table), True)


def as_csv(table: pd.DataFrame) -> str:
    """The text of a baseline's table, which ``read`` reads back value for value."""
    return table.to_csv(index=False, lineterminator="\n")


def _as_json(about: Mapping[str, Any]) -> str:
    return json.dumps(about, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def baselines(home: Path) -> list[Path]:
    """The baselines in a folder, by name: the path of each one's CSV."""
    return sorted(path for path in home.glob("[!.]*.csv") if path.with_name(f"{path.stem}.json").is_file())


def open_baseline(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of a baseline and its description, by the path of its CSV.

    Raises ValueError, in one line, where a file is missing or damaged.
    """
    return read(_content(path), _content(path.with_name(f"{path.stem}.json")), str(path))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; a baseline is a .csv with its .json beside") from None


def _file_name(suite: str) -> str:
    if not suite or suite.startswith(".") or Path(suite).name != suite:
        raise ValueError(f"a suite's name must be able to name a file, not {suite!r}")
    return suite


def _check_run(folder: RunFolder, table: pd.DataFrame, cases: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError where a run cannot be a baseline."""
    if not folder.finished:
        raise ValueError(f"{folder.path} has not finished: give its command again, it goes on from there")
    if table.empty:
        raise ValueError(f"{folder.path} has trained nothing, so there is nothing to compare with later")
    for row in rows(table):
        if not Status(row["status"]).measured:
            case = f"{row['dataset']}/{row['variant']} seed {row['seed']}"
            raise ValueError(f"{folder.path} cannot be a baseline: {case} failed ({row['status']})")
    for one in cases:
        if why := [*one.get("failures", ()), *filter(None, [one.get("void")])]:
            raise ValueError(f"{folder.path} cannot be a baseline: {one['dataset']}/{one['variant']}: {why[0]}")


def _change(base: ComparedRun, new: ComparedRun) -> str:
    """The first difference between the numbers, in a line; empty for none. Clocks, device and versions may differ."""
    for part in {**base.protocol, **new.protocol}:
        if base.protocol.get(part) != new.protocol.get(part):
            return f"the run was measured by another protocol ({part})"
    if base.guard != new.guard:
        return "the suite has another guard"
    for words, here, there in (("the run lacks", base, new), ("the baseline lacks", new, base)):
        if missing := [
            f"{dataset}/{variant}" for dataset, variant in here.cases if (dataset, variant) not in there.cases
        ]:
            return f"{words} {', '.join(missing)}"
    changes = [change for name, case in new.cases.items() for change in _case_changes(base.cases[name], case, new)]
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"the run says otherwise: {changes[0]}{more}" if changes else ""


def _case_changes(base: Case, new: Case, run: ComparedRun) -> Iterator[str]:
    """A line for each seed, and each count, that is not the same; ``run``: the new run."""
    case = f"{new.dataset}/{new.variant}"
    for seed in {**new.seeds, **base.seeds}:
        before, now = base.seeds.get(seed), new.seeds.get(seed)
        if before is None or now is None:
            yield f"{case} seed {seed} is {'new' if before is None else 'gone'}"
        elif before.status != now.status:
            yield f"{case} seed {seed} {before.status} -> {now.status}"
        elif different := [
            name
            for name in {**before.values, **now.values}
            if before.values.get(name) != now.values.get(name) or (name in before.values) != (name in now.values)
        ]:
            name = different[0]
            yield f"{case} seed {seed} {name} {before.values.get(name)} -> {now.values.get(name)}"
    for name in {**base.counts, **new.counts}:
        steady = name not in run.columns or not run.columns[name].varies
        if steady and base.counts.get(name) != new.counts.get(name):
            yield f"{case} {name} {base.counts.get(name)} -> {new.counts.get(name)}"
