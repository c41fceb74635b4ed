"""A finished sweep as studies of Optuna, in a file of its storage: for its dashboard, plots and importances.

https://optuna.readthedocs.io/en/stable/reference/generated/optuna.trial.create_trial.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from ganbench.plugin.column import Column, find
from ganbench.record.folder import RunFolder
from ganbench.record.record import Record
from ganbench.record.tables.tables import as_rows, table
from ganbench.record.tables.values import values
from ganbench.suite.sweep import Sweep, row_name, settings

#: How the name of a file ends that is SQLite's; any other is a journal of Optuna's.
_SQLITE = (".db", ".sqlite", ".sqlite3")
#: Of positive numbers as far apart as this the logarithm is searched.
_LOG = 10


def write_study(record: Record, folder: RunFolder, out: Path) -> tuple[int, tuple[str, ...]]:
    """Write a study for each data set and swept variant, a trial for each setting.

    A trial's value is the median of the primary column over the seeds, as table.csv has it; a setting that has none is
    a failed trial. ``user_attrs``: variant (the row), interval, values (by seed), seeds, done, diverged, failed,
    verdicts. A parameter is a number between the least and the greatest value of the sweep, or a choice.

    Args:
        record: The run.
        folder: Its folder, which has the suite.
        out: The file, which must not be there: SQLite's where its name ends in .db, else a journal.

    Returns:
        How many trials were written, and the names of the studies.

    Raises:
        ValueError: In one line: nothing was swept, there is no primary column, Optuna is not installed, or the file is
            there.
    """
    try:
        optuna = import_module("optuna")
    except ImportError:
        raise ValueError("writing a study needs optuna: pip install 'ganbench[optuna]'") from None
    primary = find(record.columns, "primary")
    if not record.swept:
        raise ValueError(
            f"{folder.path}: nothing was swept: a study needs a sweep, such as {{optimizer.lr: [1e-4, 1e-3]}}"
        )
    if primary is None:
        raise ValueError(f"{folder.path}: no metric has a primary column: a study needs one, as jsd has")
    if out.exists():
        raise ValueError(f"{out}: is there already, and nothing is added to it: name another file")
    storage = _storage(optuna, out)
    rows = {(row["dataset"], row["variant"]): row for row in as_rows(table(record))}
    cells = {(cell.dataset, cell.variant): cell for cell in record.cells}
    before, written = optuna.logging.get_verbosity(), 0
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        names = []
        for dataset, family, sweep in _swept(record, folder):
            names.append(f"{folder.path.parent.name}/{dataset}/{family}")
            study = optuna.create_study(
                storage=storage,
                study_name=names[-1],
                direction="minimize" if primary.better == "lower" else "maximize",
            )
            study.set_metric_names([primary.name])
            distributions = {key: _distribution(optuna.distributions, choices) for key, choices in sweep.items()}
            for setting in settings(sweep):
                place = dataset, row_name(family, setting)
                value = _number(rows[place][primary.name])
                study.add_trial(
                    optuna.create_trial(
                        state=optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE,
                        value=value,
                        params={key: _plain(value) for key, value in setting},
                        distributions=distributions,
                        user_attrs=_about(rows[place], primary)
                        | {"values": {str(seed): one for seed, one in values(cells[place], primary).items()}},
                    )
                )
                written += 1
    finally:
        optuna.logging.set_verbosity(before)
    return written, tuple(names)


def _storage(optuna: Any, out: Path) -> Any:
    if out.suffix in _SQLITE:
        return optuna.storages.RDBStorage(f"sqlite:///{out.resolve()}")
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(out)))


def _swept(record: Record, folder: RunFolder) -> Iterator[tuple[str, str, Sweep]]:
    """The data sets and families that were swept, each with its sweep, as the run's suite.yaml has them."""
    suite = yaml.safe_load(folder.suite.read_text(encoding="utf-8"))
    for dataset in dict.fromkeys(cell.dataset for cell in record.cells):
        for name, own in suite["variants"].items():
            if sweep := own.get("sweep") or suite.get("sweep"):
                yield dataset, name, {key: tuple(values) for key, values in sweep.items()}


def _distribution(kinds: Any, choices: Sequence[Any]) -> Any:
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in choices):
        return kinds.CategoricalDistribution([_plain(one) for one in choices])
    low, high = min(choices), max(choices)
    log = low > 0 and high >= _LOG * low
    if all(isinstance(one, int) for one in choices):
        return kinds.IntDistribution(low, high, log=log)
    return kinds.FloatDistribution(low, high, log=log)


def _plain(value: Any) -> Any:
    """A value that a choice of Optuna can be: a list as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _about(row: Mapping[str, Any], primary: Column) -> dict[str, Any]:
    kept = {name: row[name] for name in ("variant", "seeds", "done", "diverged", "failed", "verdicts")}
    return kept | {"interval": [row[f"{primary.name}_low"], row[f"{primary.name}_high"]]}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
