"""The ways to train one run that are compared: one process, two local ones, shards, Ray's nodes, Slurm's slots.

Each knows how it is started, which of its processes are training a model now, and how one of these is killed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.record import journal
from ganbench.record.events import CellEnded, CellStarted, Evaluated, RunFinished
from ganbench.record.folder import RunFolder

#: Threads of a worker; numbers are rounded alike where they are the same.
THREADS = {"OMP_NUM_THREADS": "1", "GANBENCH_NO_REPORT": "1"}
_PROCESS = re.compile(r"^attempt \d+ on .+, process (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Training:
    """A process that is training a model: ``task`` of the run, and the last that its journal says."""

    process: int
    task: int
    row: str
    step: int


def training(folder: Path, process: int, task: int) -> Training | None:
    """What a process trains into a run's folder; None where it trains no model now."""
    with suppress(OSError):
        started, step, over = {}, {}, set()
        for event in journal.read(folder / "journal.jsonl"):
            match event:
                case CellStarted(cell, engine) if engine:
                    started[cell] = event
                case Evaluated(cell, at):
                    step[cell] = at
                case CellEnded(cell):
                    over.add(cell)
                case RunFinished():
                    return None
        names = {cell["id"]: f"{cell['dataset']} {cell['variant']}" for cell in RunFolder(folder).describe()["cells"]}
        for cell in reversed(started):
            if cell not in over and alive(process):
                return Training(process, task, names[cell], step.get(cell, 0))
    return None


def alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@dataclass
class Way:
    """One process; the others are its subclasses. ``suite``, ``options``: what is run; ``processes``: those started."""

    suite: str
    options: tuple[str, ...] = ("--engine", "eager")
    name = "one"
    #: Whether a process that is lost is started again by nobody but us.
    by_hand = True
    processes: dict[int, subprocess.Popen] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        """What must be there before a run begins."""
        yield

    def words(self, out: Path, part: int) -> list[str]:
        return self.command("run", self.suite, *self.options, "--out", str(out))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ganbench", *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **THREADS}

    @property
    def parts(self) -> range:
        """The commands that are given at once."""
        return range(1, 2)

    def start(self, out: Path, part: int) -> None:
        """Give a command of the run, for the first time or again."""
        out.mkdir(parents=True, exist_ok=True)
        with open(out / f"{self.name}-{part}.log", "ab") as log:
            self.processes[part] = subprocess.Popen(
                self.words(out, part), stdout=log, stderr=log, env=self.environment(), start_new_session=True
            )

    def join(self, out: Path) -> None:
        """What is done when all commands have ended."""

    def folder(self, out: Path) -> Path | None:
        """The run's folder; None where it has not begun, or is not merged."""
        return next((path.parent for path in out.glob("[!.]*/[!.]*/run.json")), None)

    def at_work(self, out: Path) -> list[Training]:
        """The processes that train a model now."""
        folder = self.folder(out)
        found = [training(folder, self.processes[1].pid, 1)] if folder else []
        return [one for one in found if one]

    def kill(self, one: Training) -> None:
        """End a task's processes, and nothing else, without a word."""
        os.killpg(one.process, signal.SIGKILL)

    def kill_head(self) -> None:
        os.kill(self.processes[1].pid, signal.SIGKILL)


@dataclass
class Executed(Way):
    """What an executor trains: its head is the command."""

    by_hand = False
    tasks: tuple[str, ...] = ()

    def words(self, out: Path, part: int) -> list[str]:
        return [*super().words(out, part), "--executor", self.name, *self.told(), *self.tasks]

    def told(self) -> tuple[str, ...]:
        return ("--workers", "2")

    def at_work(self, out: Path) -> list[Training]:
        found, folder = [], self.folder(out)
        with suppress(FileNotFoundError):  # the tasks are removed when they have been merged
            for path in (folder / "tasks").glob("shards/*/*/[!.]*/journal.jsonl") if folder else ():
                task = int(path.parts[-4].partition("-")[0])
                if process := self.process(folder, task):
                    found.append(training(path.parent, process, task))
        return [one for one in found if one]

    def process(self, run: Path, task: int) -> int:
        """The process of the last attempt at a task, by its log; 0 where none is known."""
        with suppress(OSError):
            logs = sorted((run / "tasks").glob(f"{task}.*.log"), key=lambda log: int(log.name.split(".")[1]))
            if said := _PROCESS.findall(logs[-1].read_text()) if logs else []:
                return int(said[-1])
        return 0


class Local(Executed):
    """Two processes on this machine."""

    name = "local"


@dataclass
class Slurm(Executed):
    """Two slots of a Slurm on this machine, which is started for it."""

    name = "slurm"
    home: Path = Path()
    cluster: object = None

    @contextmanager
    def running(self) -> Iterator[None]:
        from slurm_loopback import Loopback

        with Loopback(self.home) as self.cluster:
            yield

    def environment(self) -> dict[str, str]:
        return {**self.cluster.environment, **THREADS}

    def told(self) -> tuple[str, ...]:
        return ("--slurm", "every=0.5")

    def kill(self, one: Training) -> None:
        """The batch script leads the group."""
        group = os.getpgid(one.process)
        if group in {os.getpgid(daemon.pid) for daemon in self.cluster.daemons.values()}:
            raise RuntimeError("a task is in the group of a daemon")
        os.killpg(group, signal.SIGKILL)


@dataclass
class Ray(Executed):
    """Two nodes of a Ray cluster on this machine, with a processor each."""

    name = "ray"
    address: str = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        from ray_loopback import ray_loopback

        os.environ.update(THREADS)  # the nodes' processes have them too
        with ray_loopback() as (made, _):
            self.address = made.address
            yield

    def told(self) -> tuple[str, ...]:
        return ("--ray", f"address={self.address}")

    def kill(self, one: Training) -> None:
        """Ray's worker and its process; the group is that of the node."""
        parent = Path(f"/proc/{one.process}/stat").read_text().rpartition(")")[2].split()[1]
        for process in (int(parent), one.process):
            os.kill(process, signal.SIGKILL)


class Shards(Way):
    """Two shards, at the same time on this machine, and their merge, which is what a head would be."""

    name = "shards"

    @property
    def parts(self) -> range:
        return range(1, 3)

    def words(self, out: Path, part: int) -> list[str]:
        return [*super().words(out, part), "--shard", f"{part}/2"]

    def at_work(self, out: Path) -> list[Training]:
        found = []
        for path in out.glob("shards/*/*/[!.]*/run.json"):
            part = int(path.parts[-4].partition("-")[0])
            found.append(training(path.parent, self.processes[part].pid, part))
        return [one for one in found if one]

    def merging(self, out: Path) -> subprocess.Popen:
        with open(out / "merge.log", "ab") as log:
            folders = [str(path) for path in sorted(out.glob("shards/*/*"))]
            words = self.command("merge", *folders, "--out", str(out))
            return subprocess.Popen(words, stdout=log, stderr=log, env=self.environment())

    def join(self, out: Path) -> None:
        if code := self.merging(out).wait():
            raise RuntimeError(f"merge has ended with {code}: {out / 'merge.log'}")


WAYS = {"one": Way, "local": Local, "shards": Shards, "ray": Ray, "slurm": Slurm}
