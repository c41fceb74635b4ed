"""The folder of a run: which files it has, how it is created, and which process holds it.

    results/<suite>/<run>/   suite.yaml  run.json  journal.jsonl  lock
                             curves.csv  seeds.csv  table.csv  differences.csv  profiles.csv  tries.csv
                             published.csv

A folder is written under a hidden name and renamed, so a folder with a run.json is complete.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganbench.core.disk import discard, make_folder, sync, write
from ganbench.record import journal
from ganbench.record.events import RunFinished
from ganbench.record.lock import LockedError, locked

#: Of a run or a baseline that lacks what this ganbench writes.
OLDER = "it was made by an older ganbench: run it again"
_CREATING, _MERGING = ".creating-", ".merging-"
#: Seconds to wait for another process that reads whether a run can be gone on with.
_MOMENT = 1.0
#: Seconds to wait for another process that claims a run, which takes no time.
_PATIENCE = 60.0


class NotARunError(ValueError):
    """A path that holds no run."""


class RunLockedError(RuntimeError):
    """Another process is working on the run."""


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @property
    def journal(self) -> Path:
        """The journal: every event of the run, the truth."""
        return self.path / "journal.jsonl"

    @property
    def suite(self) -> Path:
        """The suite as resolved."""
        return self.path / "suite.yaml"

    @property
    def curves(self) -> Path:
        """The table with a row for each dataset, variant, seed and evaluation."""
        return self.path / "curves.csv"

    @property
    def seeds(self) -> Path:
        """The table with a row for each dataset, variant and seed."""
        return self.path / "seeds.csv"

    @property
    def table(self) -> Path:
        """The table with a row for each dataset and variant."""
        return self.path / "table.csv"

    @property
    def differences(self) -> Path:
        """The table with a row for each dataset, variant and column, against a baseline variant."""
        return self.path / "differences.csv"

    @property
    def profiles(self) -> Path:
        """The table with the performance profile of each variant over all datasets."""
        return self.path / "profiles.csv"

    @property
    def tries(self) -> Path:
        """The table with the best of k settings of each variant; only where the suite sweeps."""
        return self.path / "tries.csv"

    @property
    def published(self) -> Path:
        """The table with what a paper published beside what was measured; only where the suite says it."""
        return self.path / "published.csv"

    @property
    def finished(self) -> bool:
        """Whether every cell of the run has ended."""
        return RunFinished() in journal.read(self.journal)

    def describe(self) -> dict[str, Any]:
        """The content of run.json. Raises NotARunError where there is none that can be read."""
        try:
            run = json.loads((self.path / "run.json").read_bytes())
        except (OSError, ValueError):
            run = None
        if not isinstance(run, dict) or not self.journal.is_file():
            raise NotARunError(f"{self.path} is not a run: it has no readable run.json beside a journal.jsonl")
        return run

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the run, from before its first event until after its last.

        Raises RunLockedError where another process holds it for longer than a moment, in which it may only have looked.
        """
        with _locked(self.path, "lock", wait=_MOMENT):
            yield

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run at ``path``. Raises NotARunError where there is none."""
        folder = cls(path)
        folder.describe()
        return folder

    @classmethod
    def unfinished(cls, out: Path, suite: str, identity: str) -> RunFolder | None:
        """The newest run of this suite with this identity that has not finished.

        Args:
            out: The folder of all suites' runs.
            suite: The suite's name.
            identity: The digest of all that decides the run's numbers, as run.json has it.

        Returns:
            The run's folder; None where there is no such run.
        """
        candidates = []
        for path in (out / suite).glob("[!.]*/"):
            folder = cls(path)
            try:
                run = folder.describe()
            except NotARunError:
                continue
            if run.get("identity") == identity and not folder.finished:
                candidates.append((str(run.get("created", "")), path.name))
        return cls(out / suite / max(candidates)[1]) if candidates else None

    @classmethod
    def newest(cls, out: Path, suite: str) -> RunFolder | None:
        """The newest run of a suite, finished or not; None where there is none."""
        found = []
        for path in (out / suite).glob("[!.]*/"):
            with suppress(NotARunError):
                found.append((str(cls(path).describe().get("created", "")), path.name))
        return cls(out / suite / max(found)[1]) if found else None

    @classmethod
    def create(cls, out: Path, suite: str, identity: str, suite_yaml: str, run: Mapping[str, Any]) -> RunFolder:
        """Write a new run's folder, named by the time (UTC) and the identity.

        Two processes must not do this for one suite at once: see ``claim``.

        Args:
            out: The folder of all suites' runs.
            suite: The suite's name.
            identity: The digest of all that decides the run's numbers; its first 8 characters are in the folder's name.
            suite_yaml: The content of suite.yaml.
            run: The content of run.json; ``run``, ``suite``, ``identity`` and ``created`` are filled in here.

        Returns:
            The new folder, with an empty journal.

        Raises:
            ValueError: The suite's name cannot name a folder.
        """
        home = _home(out, suite)
        now = datetime.now(UTC)
        name = first = f"{now:%Y%m%d-%H%M%S}-{identity[:8]}"
        again = 1
        while (home / name).exists():
            again += 1
            name = f"{first}-{again}"
        filled = {**run, "run": name, "suite": suite, "identity": identity, "created": now.isoformat()}
        hidden = home / f"{_CREATING}{name}"
        _fill(hidden, suite_yaml, filled, "")
        hidden.rename(home / name)
        sync(home)
        return cls(home / name)

    @classmethod
    @contextmanager
    def whole(cls, out: Path, run: Mapping[str, Any], suite_yaml: str, events: str) -> Iterator[RunFolder]:
        """Write a run that was trained elsewhere; it has a hidden name until the context ends.

        Args:
            out: The folder of all suites' runs.
            run: The content of run.json, with ``run``, ``suite``, ``identity`` and ``created``.
            suite_yaml: The content of suite.yaml.
            events: The content of the journal.

        Yields:
            The folder, to write the rest into; where an error comes out of the block, it is removed.

        Raises:
            RunLockedError: Another process writes such a run.
            ValueError: There is a run of this name already.
        """
        home = _home(out, run["suite"])
        path, hidden = home / run["run"], home / f"{_MERGING}{run['run']}"
        with _locked(home, f"{_MERGING}lock", wait=_MOMENT):
            if path.exists():
                raise ValueError(f"{path}: is there already: move it away, or write the run elsewhere with --out DIR")
            discard(hidden)  # what a killed process has left
            try:
                _fill(hidden, suite_yaml, run, events)
                yield cls(hidden)
                hidden.rename(path)
            except BaseException:
                discard(hidden)
                raise
            sync(home)

    @classmethod
    @contextmanager
    def claim(
        cls, out: Path, suite: str, identity: str, suite_yaml: str, run: Mapping[str, Any]
    ) -> Iterator[RunFolder]:
        """Lock the unfinished run with this identity, or a new one where there is none, until the context ends.

        Of two processes that claim at once exactly one gets the run; the other gets RunLockedError.

        Args:
            out: The folder of all suites' runs.
            suite: The suite's name.
            identity: The digest of all that decides the run's numbers.
            suite_yaml: The content of suite.yaml of a new run.
            run: The content of run.json of a new run, see ``create``.

        Yields:
            The run's folder, locked.

        Raises:
            RunLockedError: Another process holds the run.
            ValueError: The suite's name cannot name a folder.
        """
        home = _home(out, suite)
        with ExitStack() as held:
            with _locked(home, ".lock", wait=_PATIENCE):
                for leftover in home.glob(f"{_CREATING}*"):
                    shutil.rmtree(leftover)
                folder = None
                # Another process may finish and release the run between reading its journal and locking it here.
                while folder is None or folder.finished:
                    held.pop_all().close()
                    folder = cls.unfinished(out, suite, identity) or cls.create(out, suite, identity, suite_yaml, run)
                    held.enter_context(folder.lock())
                folder._judge_by(suite_yaml, run)
            yield folder

    def _judge_by(self, suite_yaml: str, run: Mapping[str, Any]) -> None:
        """Write down how the suite now judges a run that is gone on with: that alone may have changed."""
        described = self.describe()
        judged = {name: json.loads(json.dumps(run.get(name))) for name in ("cells", "published") if "cells" in run}
        if any(described.get(name) != own for name, own in judged.items()):
            write(self.path / "run.json", _as_json(described | judged))
        if self.suite.read_text(encoding="utf-8") != suite_yaml:
            write(self.suite, suite_yaml)


def _fill(path: Path, suite_yaml: str, run: Mapping[str, Any], events: str) -> None:
    """Make the folder of a run, with its files."""
    path.mkdir()
    write(path / "suite.yaml", suite_yaml)
    write(path / "run.json", _as_json(run))
    write(path / "journal.jsonl", events)


def _as_json(run: Mapping[str, Any]) -> str:
    return json.dumps(run, indent=2, allow_nan=False) + "\n"


@contextmanager
def _locked(folder: Path, name: str, *, wait: float = 0.0) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / name, wait=wait))
        except LockedError as error:
            raise RunLockedError(
                f"{folder} is being run by {error.holder}; wait for it or choose another --out"
            ) from None
        yield


def _home(out: Path, suite: str) -> Path:
    if not suite or suite.startswith(".") or Path(suite).name != suite:
        raise ValueError(f"a suite's name must be able to name a folder, not {suite!r}")
    home = out / suite
    make_folder(home)
    return home
