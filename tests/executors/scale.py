"""How what an executor's head does grows with the number of tasks, and what each executor costs beside another.

    python tests/executors/scale.py tasks --out DIR [--counts 100,300,1000]    a head, `show` and the merge of so many
    python tests/executors/scale.py overhead --out DIR [--ways local,ray]      50 tasks of a second by each executor

A line of DIR/scale.jsonl is a measurement; the same command leaves out those that are made.

tasks: processor's seconds. The tasks are made up. One task of the suite is trained; the others are copies of what it
has written, each with the name of its own cell. So all that reads them reads what real ones would be, and nothing waits
for training.
overhead: a suite of 49 variants of which each trains for about a second on one thread, and its oracle; two at a time,
each a task, or with --cut as the executor cuts them itself. Seconds of the processor are of all that has begun, daemons
of Ray and Slurm too; a look at them, twice a second, misses the last half of a second of each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ways import THREADS, WAYS, Executed

from ganbench.core.disk import link
from ganbench.core.shard import Shard
from ganbench.record import journal
from ganbench.record.events import RunFinished
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.lock import locked
from ganbench.record.tasks import Tasks
from ganbench.run.executors.followed import FollowedTask

SUITE = """
suite: many
seeds: 8
budget: {{steps: {steps}, batch: 64}}
evaluate: {{every: {every}, samples: 1000}}
datasets: {{ring3: {{name: ring, modes: 3, std: 0.3}}}}
references: []
defaults: {{architecture: {{name: mlp, width: 32}}}}
variants: {{{variants}}}
metrics: [modes, mmd]
"""


def suite(path: Path, count: int, steps: int) -> None:
    variants = ", ".join(f"v{number}: {{loss: nonsaturating}}" for number in range(1, count + 1))
    path.write_text(SUITE.format(steps=steps, every=steps // 4, variants=variants))


class Measured:
    """What was measured before, and what is added."""

    def __init__(self, out: Path) -> None:
        self.path = out / "scale.jsonl"
        self.lines = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def has(self, **wanted: object) -> bool:
        return any(wanted.items() <= line.items() for line in self.lines)

    def keep(self, **line: object) -> None:
        self.lines.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def processor() -> float:
    """The processor's seconds of this process and those that it has waited for: others do not change them."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@contextmanager
def spending():
    """The processor's seconds of all that is begun meanwhile, by process: nobody waits for what daemons have begun."""
    mark, seconds, over = "GANBENCH_MEASURED", {}, threading.Event()
    os.environ[mark] = name = f"{os.getpid()}-{time.monotonic_ns()}"

    def look():
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"{mark}={name}".encode() in (path / "environ").read_bytes():
                    fields = (path / "stat").read_text().rpartition(")")[2].split()
                    spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                    seconds[path.name, fields[19]] = spent

    def watch():
        while not over.wait(0.5):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield seconds
    over.set()
    watcher.join()
    del os.environ[mark]


def timed(function, *given, **named) -> tuple[float, object]:
    began = processor()
    found = function(*given, **named)
    return round(processor() - began, 3), found


def call(out: Path, *words: str) -> None:
    words = (sys.executable, "-m", *words)
    done = subprocess.run(words, cwd=out, env={**os.environ, **THREADS}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{words}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def tasks(out: Path, count: int, measured: Measured) -> None:
    """A run of so many variants whose tasks have all finished, but for the merge."""
    home = out / f"tasks-{count}"
    home.mkdir(parents=True)
    suite(home / "many.yaml", count - 1, 8)  # the oracle is a task too
    run = ("run", "many.yaml", "--engine", "eager", "--no-pictures", "--tasks", str(count))
    # A real head and a real worker, for one task: the head is ended as soon as there is one that has finished.
    words = [sys.executable, "-m", "ganbench", *run, "--executor", "local", "--workers", "1"]
    with open(home / "head.log", "ab") as log:
        head = subprocess.Popen(words, cwd=home, env={**os.environ, **THREADS}, stdout=log, stderr=log)
    done = None
    while done is None:
        for path in home.glob("results/many/[!.]*/tasks/shards/*/many/[!.]*/run.json"):
            # Not the oracle's, which is small.
            if RunFolder(path.parent).finished and not RunFolder(path.parent).describe()["cells"][0]["reference"]:
                done = RunFolder(path.parent)
        if head.poll() is not None:
            raise SystemExit(f"{home}/head.log: the head has ended")
        time.sleep(0.1)
    head.terminate()
    head.wait()
    time.sleep(1)
    folder = RunFolder(next(home.glob("results/many/[!.]*")))
    kept = Tasks(folder)
    copies, oracle = timed(copy, folder, kept, done)
    worker, _ = timed(call, home, "ganbench.cli.task", str(folder.path), str(oracle), "1")
    followed = [FollowedTask(kept, Shard(number, count), str(number)) for number in range(1, count + 1)]
    reads, _ = timed(lambda: [task.news() for task in followed])
    if not all(task.finished for task in followed):
        raise SystemExit(f"{home}: not all tasks have finished")
    waiting = [FollowedTask(kept, Shard(number, count), str(number)) for number in range(1, count + 1)]
    for task in waiting:
        task.news()
        task.finished = False  # so that it is looked at, as one that trains and has written nothing new
    looks, _ = timed(lambda: [task.news() for task in waiting])
    shows, _ = timed(call, home, "ganbench", "show", "results/many")
    measured.keep(what="before the merge", count=count, first_look=reads, quiet_look=looks, show=shows)
    size = sum(path.lstat().st_size for path in kept.path.rglob("*") if not path.is_dir())
    files = sum(not path.is_dir() for path in kept.path.rglob("*"))
    # The same command finds all of them finished, and merges them.
    merges, _ = timed(call, home, "ganbench", *run, "--executor", "local", "--workers", "1")
    shown, _ = timed(call, home, "ganbench", "show", "results/many")
    measured.keep(
        what="tasks", count=count, made=copies, worker=worker, first_look=reads,
        quiet_look=looks, show=shows, bytes=size, files=files, merge=merges, show_merged=shown,
    )  # fmt: skip


def copy(folder: RunFolder, kept: Tasks, done: RunFolder) -> int:
    """Make all other tasks of a run of what one of them has written; returns that of the oracle, which is left."""
    from ganbench.plugin.registry import Registry
    from ganbench.suite.load import load
    from ganbench.suite.plan import plan, shards

    about, text = done.describe(), done.suite.read_text()
    events = journal.read(done.journal)
    own = about["cells"][0]
    whole = folder.describe()
    described = {cell["id"]: cell for cell in whole["cells"]}
    planned = plan(load(folder.path.parents[2] / "many.yaml", Registry.load()))
    count = kept.plan().count
    for number, cells in enumerate(shards(planned, count), 1):
        shard = Shard(number, count)
        if kept.folder(shard) and kept.folder(shard).finished:
            continue
        (cell,) = cells
        if cell.reference is not None:
            oracle = number
            continue
        told = {**described[cell.id], "precision": own["precision"]}
        more = {**about, "cells": [told], "shard": shard.text}
        for name in ("run", "suite", "identity", "created"):
            more.pop(name)
        home = kept.home(shard).parent
        made = RunFolder.create(home, kept.home(shard).name, about["identity"], text, more)
        link(made.suite, folder.suite)
        lines = Journal(made.journal)
        os_sync, os.fsync = os.fsync, lambda file: None  # of the one who measures, not of a worker
        try:
            for event in events:
                lines.append(event if isinstance(event, RunFinished) else replace(event, cell=cell.id))
        finally:
            os.fsync = os_sync
            lines.close()
    return oracle


def overhead(out: Path, ways: list[str], count: int, turn: int, cut: bool, measured: Measured) -> None:
    """So many cells of a second by each way, in turn; the clock's seconds, and the processor's of all that was begun.

    What a second is on this machine is measured too, by one process.
    """
    home = out / f"overhead-{count}-{turn}"
    home.mkdir(parents=True, exist_ok=True)
    suite(home / "many.yaml", count - 1, 320)  # the oracle is a task too
    for name in ["one", *ways]:
        way = WAYS[name](str(home / "many.yaml"))
        own = cut and isinstance(way, Executed)
        about = {"what": "overhead", "way": name, "count": count, "turn": turn, "cut": own}
        if measured.has(**about):
            continue
        shutil.rmtree(home / name, ignore_errors=True)
        if isinstance(way, Executed):
            way.tasks = ("--workers", "2", *(() if cut else ("--tasks", str(count))))
        if name == "slurm":
            way.home = home / "slurm-daemons"
            shutil.rmtree(way.home, ignore_errors=True)
            way.home.mkdir()
        with spending() as seconds, way.running():
            began = time.monotonic()
            ready = sum(seconds.values())
            for part in way.parts:
                way.start(home / name, part)
            codes = [process.wait() for process in way.processes.values()]
            way.join(home / name)
            took = round(time.monotonic() - began, 2)
        if any(codes):
            raise SystemExit(f"{home / name}: {codes}")
        spent = sum(seconds.values())
        measured.keep(**about, seconds=took, processor=round(spent - ready, 1), daemons=round(ready, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tasks", "overhead"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--counts", help="of tasks; 100,300,1000, and 50 for the overhead")
    parser.add_argument("--turns", type=int, default=3, help="how often the overhead of each way is measured")
    parser.add_argument("--ways", default="local,shards,ray,slurm")
    parser.add_argument("--cut", action="store_true", help="as the executor cuts the run itself, not a task each cell")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    out, measured = given.out.resolve(), Measured(given.out)
    if given.what == "overhead":
        for count in map(int, (given.counts or "50").split(",")):
            for turn in range(1, given.turns + 1):
                overhead(out, given.ways.split(","), count, turn, given.cut, measured)
        return
    with locked(out / "lock"):
        for count in map(int, (given.counts or "100,300,1000").split(",")):
            if not measured.has(what="tasks", count=count):
                tasks(out, count, measured)


if __name__ == "__main__":
    main()
