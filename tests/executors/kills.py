"""Kill workers and heads of runs at random moments, in each way to train, and compare the tables with one process's.

    python tests/executors/kills.py --out DIR [--suite smoke] [--ways local,shards,ray] [--kills 10] [--heads 1]

A line of DIR/kills.jsonl is a trial; the same command goes on after the last one. A trial's moment is uniform: of a
worker, from the first model that is trained, over as long as an undisturbed run of that way trains models; if none is
trained at that moment, the next one is killed. Of a head, over the whole length of a run; of shards, that is the merge.
Where a run has ended before its kill, the trial is made again with the next moment, and counted as missed. The last
lines are the table of results/measured/executors.md; kills.csv has all trials.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from pathlib import Path

import pandas as pd
from ways import WAYS, Executed, Training, Way

from ganbench.record.folder import RunFolder
from ganbench.record.record import Record

SEED = 16
TABLES = ("seeds", "curves", "table")


def comparable(folder: Path) -> dict[str, bytes]:
    """The tables of a run without times: the columns whose role it is to vary, and what is said of them."""
    record = Record.read(RunFolder(folder))
    times = [name for column in record.columns if column.varies for name in column.fills]
    found = {}
    for name in TABLES:
        frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        frame = frame.drop(columns=[column for column in times if column in frame])
        if "message" in frame:
            frame["message"] = frame["message"].str.replace(r"(; )?no clocks: [^;]*", "", regex=True)
        found[name] = frame.to_csv(index=False).encode()
    return found


class Trials:
    """The trials of all ways, as far as they are made."""

    def __init__(self, out: Path, suite: str) -> None:
        self.out, self.suite = out, suite
        self.path = out / "kills.jsonl"
        self.made = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def keep(self, **line: object) -> dict:
        self.made.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        return line

    def of(self, way: str, kind: str) -> list[dict]:
        return [one for one in self.made if (one["way"], one["kind"]) == (way, kind)]

    def undisturbed(self, way: Way) -> dict:
        """How long a run of this way takes, and from when to when it trains models."""
        if made := self.of(way.name, "undisturbed"):
            return made[0]
        out = self.fresh(f"{way.name}-undisturbed")
        began, seen = time.monotonic(), []
        for part in way.parts:
            way.start(out, part)
        while any(process.poll() is None for process in way.processes.values()):
            if way.at_work(out):
                seen.append(time.monotonic() - began)
            time.sleep(0.05)
        return self.ended(way, out, "undisturbed", 0, began, {"first": seen[0], "last": seen[-1]})

    def fresh(self, name: str) -> Path:
        out = self.out / name
        shutil.rmtree(out, ignore_errors=True)
        return out

    def ended(self, way: Way, out: Path, kind: str, trial: int, began: float, more: dict) -> dict:
        """Wait for a run's end, compare it, and keep the trial."""
        codes = {part: process.wait(900) for part, process in way.processes.items()}
        if any(codes.values()):
            raise SystemExit(f"{out}: a command has ended with {codes}: see its logs")
        if kind != "head" or way.name != "shards":
            way.join(out)
        found = comparable(way.folder(out))
        whole = self.out / "whole.json"
        if not whole.exists():
            whole.write_text(json.dumps({name: text.decode() for name, text in found.items()}))
        then = json.loads(whole.read_text())
        differs = [name for name, text in found.items() if text.decode() != then[name]]
        line = self.keep(
            way=way.name, kind=kind, trial=trial, seconds=round(time.monotonic() - began, 2), differs=differs,
            again=sum("submitted again" in log.read_text() for log in out.glob("*.log")), **more,
        )  # fmt: skip
        if not differs:
            shutil.rmtree(out)  # what differs is left to be looked at
        return line

    def worker(self, way: Way, trial: int) -> bool:
        """A worker is killed; whether it was before the run had ended."""
        usual = self.undisturbed(way)
        missed = sum(one["trial"] == trial for one in self.of(way.name, "missed"))
        chance = random.Random(f"{SEED} {way.name} worker {trial} {missed}")
        moment = chance.uniform(0, usual["last"] - usual["first"])
        out = self.fresh(f"{way.name}-worker-{trial}")
        began = time.monotonic()
        for part in way.parts:
            way.start(out, part)
        first, victim = None, None
        while victim is None and any(process.poll() is None for process in way.processes.values()):
            if not (found := way.at_work(out)):
                time.sleep(0.01)
                continue
            first = first or time.monotonic()
            if first + moment > time.monotonic():
                time.sleep(first + moment - time.monotonic())
                continue  # who trains now?
            victim = chance.choice(sorted(found, key=lambda one: one.task))
            try:
                way.kill(victim)
            except ProcessLookupError:  # it has just ended
                victim = None
        if victim is None:
            self.keep(way=way.name, kind="missed", trial=trial, moment=round(moment, 2))
            return False
        at = time.monotonic() - began
        if way.by_hand:
            way.processes[victim.task].wait()
            way.start(out, victim.task)
        self.ended(way, out, "worker", trial, began, {"moment": round(moment, 2), "at": round(at, 2)} | said(victim))
        return True

    def head(self, way: Way, trial: int) -> bool:
        """The head is killed, and its command given again; whether it was before the run had ended."""
        usual = self.undisturbed(way)
        missed = sum(one["trial"] == trial for one in self.of(way.name, "head missed"))
        chance = random.Random(f"{SEED} {way.name} head {trial} {missed}")
        out = self.fresh(f"{way.name}-head-{trial}")
        began = time.monotonic()
        for part in way.parts:
            way.start(out, part)
        if way.name == "shards":
            for process in way.processes.values():
                process.wait(900)
            moment = chance.uniform(0, self.merge_seconds(way, out))
            merge = way.merging(out)
            time.sleep(moment)
            hit = merge.poll() is None
            merge.kill()
            merge.wait()
            merged = way.folder(out) is not None
            at = moment
            if hit and not merged:
                way.join(out)
            hit = hit and not merged
        else:
            moment = chance.uniform(0, usual["seconds"])
            time.sleep(moment)
            hit, at = way.processes[1].poll() is None, time.monotonic() - began
            if hit:
                way.kill_head()
            way.processes[1].wait()
        trained = {"training": [said(one) for one in way.at_work(out)]}
        if not hit:
            self.keep(way=way.name, kind="head missed", trial=trial, moment=round(moment, 2))
            return False
        if way.name != "shards":
            way.start(out, 1)
        self.ended(
            way, out, "head", trial, began, {"moment": round(moment, 2), "at": round(at, 2), "training": trained}
        )
        return True

    def merge_seconds(self, way: Way, out: Path) -> float:
        """How long the merge takes: of copies of the shards, elsewhere."""
        other = self.fresh("merge-timed")
        shutil.copytree(out, other)
        began = time.monotonic()
        way.join(other)
        shutil.rmtree(other)
        return time.monotonic() - began

    def table(self) -> str:
        lines = ["| way | trials | killed | the same | differs | missed | seconds, undisturbed | seconds, killed |"]
        lines.append("|---" * 8 + "|")
        for name in WAYS:
            for kind in ("undisturbed", "worker", "head"):
                if not (made := self.of(name, kind)):
                    continue
                same = sum(not one["differs"] for one in made)
                missed = len(self.of(name, {"worker": "missed", "head": "head missed"}.get(kind, "")))
                took = pd.Series([one["seconds"] for one in made])
                usual = self.of(name, "undisturbed")[0]["seconds"]
                killed = "" if kind == "undisturbed" else f"{took.median():.0f} ({took.min():.0f} to {took.max():.0f})"
                lines.append(
                    f"| {name} | {len(made)} | {kind if kind != 'undisturbed' else 'nothing'} | {same} | "
                    f"{len(made) - same} | {missed} | {usual:.0f} | {killed} |"
                )
        return "\n".join(lines)


def said(one: Training) -> dict:
    return {"task": one.task, "row": one.row, "step": one.step}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--heads", type=int, default=1)
    parser.add_argument("--tasks", type=int, help="into how many an executor cuts the run")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    trials = Trials(given.out.resolve(), given.suite)
    one = Way(given.suite)
    trials.undisturbed(one)
    for name in given.ways.split(","):
        way = WAYS[name](given.suite)
        if isinstance(way, Executed) and given.tasks:
            way.tasks = ("--tasks", str(given.tasks))
        if name == "slurm":
            way.home = trials.fresh("slurm")
            way.home.mkdir()
        with way.running():
            trials.undisturbed(way)
            for trial in range(given.kills):
                while trial not in {line["trial"] for line in trials.of(name, "worker")}:
                    trials.worker(way, trial)
            for trial in range(given.heads if name != "one" else 0):
                while trial not in {line["trial"] for line in trials.of(name, "head")}:
                    trials.head(way, trial)
    pd.DataFrame(trials.made).to_csv(trials.out / "kills.csv", index=False, lineterminator="\n")
    print(trials.table())


if __name__ == "__main__":
    main()
