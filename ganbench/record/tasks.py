"""The tasks of a run that an executor trains, in the run's folder: what was planned, what was submitted, what they say.

    tasks/   plan.json  jobs.jsonl  most_bytes  shards/<i>-of-<n>/<suite>/<run>/  <i>.<attempt>.log

Each task is a shard of the run, in a run's folder of its own, whose suite.yaml is a link to the run's. When all have
finished, they are merged into the run, and this folder is removed.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ganbench.core.disk import make_folder, write
from ganbench.core.shard import Shard
from ganbench.record import journal
from ganbench.record.events import Event, RunFinished
from ganbench.record.folder import RunFolder

FOLDER = "tasks"
#: So much of a log is looked at for its last line.
_TAIL = 4096


@dataclass(frozen=True)
class TaskPlan:
    """How a run is cut into tasks, and where they are trained.

    ``command``: the command line that all tasks share; ``cwd``: the folder that it was given in. ``executor``,
    ``parameters``: the executor, and what it was set to; ``workers``, ``devices``: as its ``build`` gets them.
    """

    count: int
    command: tuple[str, ...]
    cwd: str
    executor: str
    parameters: Mapping[str, Any]
    workers: int | None
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """What was started of a task: ``name`` as the executor calls it. ``alone``: see ``Workers.alone``."""

    task: int
    attempt: int
    name: str
    alone: bool


class Ending(NamedTuple):
    """How an attempt at a task ended, by the last line of its log: ``failed`` or ``refused``, and why; empty if killed.

    What was refused would be refused again. ``waits``: it has not ended, or was killed, while it waited for another.
    """

    how: str = ""
    why: str = ""


@dataclass(frozen=True)
class Tasks:
    """The tasks of the run in a folder."""

    run: RunFolder

    @property
    def path(self) -> Path:
        """Their folder, in that of the run."""
        return self.run.path / FOLDER

    @property
    def there(self) -> bool:
        """Whether the run has tasks that are not merged yet."""
        return (self.path / "plan.json").is_file()

    def plan(self, new: TaskPlan | None = None) -> TaskPlan:
        """What was planned; ``new`` is written down first. Raises ValueError, in one line, where it is damaged."""
        if new is not None:
            make_folder(self.path)
            write(self.path / "plan.json", json.dumps(asdict(new), indent=2) + "\n")
        try:
            found = json.loads((self.path / "plan.json").read_bytes())
            lists = {name: tuple(map(str, found[name])) for name in ("command", "devices")}
            return TaskPlan(**{**found, **lists})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{self.path / 'plan.json'}: cannot be read: {error}") from None

    def shard(self, number: int) -> Shard:
        """A task's part of the run."""
        return Shard(number, self.plan().count)

    def home(self, shard: Shard) -> Path:
        """The folder of a task's runs."""
        return self.path / "shards" / shard.name / self.run.path.parent.name

    def folder(self, shard: Shard) -> RunFolder | None:
        """The run of a task: the one that has finished, else the newest; None where none has begun."""
        home = self.home(shard)
        newest = RunFolder.newest(home.parent, home.name)
        if newest is None or newest.finished:
            return newest
        return next((one for one in self.sizes(shard) if one.finished), newest)

    def sizes(self, shard: Shard) -> dict[RunFolder, int]:
        """All runs of a task, and how much is in the journal of each."""
        found = {}
        for path in sorted(self.home(shard).glob("[!.]*/")):
            with suppress(OSError):
                found[RunFolder(path)] = RunFolder(path).journal.stat().st_size
        return found

    def events(self) -> Iterator[Event]:
        """What all tasks have written into their journals so far, but that they have finished."""
        plan = self.plan()
        for number in range(1, plan.count + 1):
            if folder := self.folder(Shard(number, plan.count)):
                yield from (event for event in journal.read(folder.journal) if event != RunFinished())

    def log(self, number: int, attempt: int) -> Path:
        """Where an attempt at a task writes what it has to say; it is there from its first moment on."""
        return self.path / f"{number}.{attempt}.log"

    def ending(self, job: Job) -> Ending | None:
        """How an attempt ended; None where it has no log, so that its machine may not see the folder."""
        try:
            with self.log(job.task, job.attempt).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return None
        how, _, why = (lines[-1] if lines else "").partition(": ")
        return Ending(how, why) if how in ("failed", "refused", "waits") else Ending()

    def jobs(self) -> dict[int, Job]:
        """The last job of each task that has one."""
        found: dict[int, Job] = {}
        with suppress(FileNotFoundError):
            for line in (self.path / "jobs.jsonl").read_bytes().split(b"\n")[:-1]:
                with suppress(ValueError, TypeError):  # a line that a power failure has torn
                    job = Job(**json.loads(line))
                    found[job.task] = job
        return found

    def add_job(self, job: Job) -> None:
        """Remember a job, so that another process finds it."""
        with (self.path / "jobs.jsonl").open("ab+") as file:
            # What a power failure or a full disk has torn must not take this line with it.
            whole = not file.tell() or (file.seek(-1, os.SEEK_END), file.read())[1] == b"\n"
            file.write((b"" if whole else b"\n") + json.dumps(asdict(job)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def most_bytes(self, mine: int) -> int:
        """What a chunk of replicas may take in all tasks: what the first to ask would take, else ``mine``."""
        path = self.path / "most_bytes"
        hidden = self.path / f".most_bytes.{platform.node()}.{os.getpid()}"
        with hidden.open("w", encoding="utf-8") as file:
            file.write(f"{mine}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # The one way to make a whole file that fails where it is there already.
            with suppress(FileExistsError):
                os.link(hidden, path)
        except OSError:  # a disk without links
            if not path.exists():
                hidden.replace(path)
        hidden.unlink(missing_ok=True)
        return int(path.read_text(encoding="utf-8"))

    @property
    def cancelled(self) -> bool:
        """Whether ``ganbench cancel`` has asked to end the run's tasks."""
        return (self.path / "cancelled").exists()

    def cancel(self, asked: bool) -> None:
        """Ask whoever works on the run to end its tasks, or ask so no longer."""
        mark = self.path / "cancelled"
        mark.touch() if asked else mark.unlink(missing_ok=True)
