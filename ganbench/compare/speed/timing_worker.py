"""The pacer: times chunks of training steps of a suite's cases on request, by whichever ganbench its path leads to.

It runs as a file of its own, ``python -P pacer.py SUITE``, and imports nothing of ganbench before it has said so. It
speaks JSON, an object a line: first it says which cases there are, then it answers each line that it reads.

* said first: ``{"pacer": 1, "ganbench": "0.1.0", "torch": ..., "suite": path read, "batches": [{"cases": [[dataset,
  variant], ...], "work": ...}]}``, a batch being cells that train together, ``work`` what they are asked to compute
* ``{"do": "prepare", "case": [dataset, variant], "engine": name}``: ``{"engine": name, "replicas": n, "block": steps,
  "note": text}``; in place of the case before
* ``{"do": "time", "begin": step, "steps": n, "times": k}``: ``{"seconds": [k numbers]}``, each of n steps of all
  replicas from the state before training, the noise that of the steps from ``begin`` on; without those in which the
  threads at work had no core, because another program had it
* whatever goes wrong: ``{"error": "one line"}``; the next request is answered all the same

It ends with its input. What plugins print goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import glob
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ganbench.train.trainer import Trainer

#: Of the protocol: raised when a request or an answer changes its meaning.
VERSION = 1
#: A thread that did less than this share of all work was not at work.
IDLE = 0.1

#: Nanoseconds that a thread has run, and that it was ready to run but had no core.
Threads = Mapping[str, tuple[int, int]]


class TimingWorker:
    """A suite's batches of cells, of which one is ready to train."""

    def __init__(self, asked: argparse.Namespace) -> None:
        from ganbench.plugin.registry import Registry
        from ganbench.suite.load import load
        from ganbench.suite.mistake import SuiteError
        from ganbench.suite.plan import batches, plan
        from ganbench.train.device import choose

        registry = Registry.load(asked.beside, asked.plugins)
        self.suite = asked.suite
        try:
            suite = load(self.suite, registry)
        except SuiteError:
            if asked.fallback is None:
                raise
            self.suite = asked.fallback
            suite = load(self.suite, registry)
        if asked.seeds is not None:
            suite = suite.with_seeds(asked.seeds)
        self.device = choose(asked.device)
        trained = [cells for cells in batches(plan(suite)) if cells[0].trained is not None]
        self.batches = {(cells[0].dataset, cells[0].variant): cells for cells in trained}
        self.trainer: Trainer | None = None

    def about(self) -> dict[str, Any]:
        """What is said first."""
        import torch

        import ganbench

        return {
            "pacer": VERSION,
            "ganbench": ganbench.__version__,
            "torch": str(torch.__version__),
            "suite": str(self.suite),
            "batches": [
                {
                    "cases": [[cell.dataset, cell.variant] for cell in cells],
                    "work": [
                        [cell.data.plain(), cell.trained.plain(), cell.batch, len(cell.seeds), cell.precision]
                        for cell in cells
                        if cell.trained is not None
                    ],
                }
                for cells in self.batches.values()
            ],
        }

    def prepare(self, case: Sequence[str], engine: str) -> dict[str, Any]:
        """Make a batch ready, as a run does, in place of the one before."""
        from ganbench.train.trainer import Trainer

        self.trainer = None
        gc.collect()
        cells = self.batches[case[0], case[1]]
        trainer = Trainer(cells, self.device, engine)
        if len(cells) > 1 and trainer.probe.serial:
            trainer = Trainer(cells[:1], self.device, engine)
        trainer.prepare()
        self.trainer = trainer
        replicas = len(trainer.seeds)
        return {"engine": trainer.engine, "replicas": replicas, "block": trainer.block, "note": trainer.note}

    def time(self, begin: int, steps: int, times: int) -> dict[str, Any]:
        """Time chunks of steps of what is ready, one synchronisation each."""
        assert self.trainer is not None
        seconds = []
        for first in range(begin, begin + steps * times, steps):
            threads, before = _threads(), time.perf_counter()
            self.trainer.advance(self.trainer.start, first, first + steps)
            if self.device.type == "cuda":
                import torch

                torch.cuda.synchronize(self.device)
            took = time.perf_counter() - before
            # What a GPU does goes on while a thread waits.
            queue = 0.0 if self.device.type == "cuda" else queued(threads, _threads())
            seconds.append(max(took - queue, took / 1000))
        return {"seconds": seconds}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        if request["do"] == "prepare":
            return self.prepare(request["case"], request["engine"])
        return self.time(request["begin"], request["steps"], request["times"])


def queued(before: Threads, after: Threads) -> float:
    """Seconds for which the threads at work were ready to go on, and had no core: the mean of them.

    That is other programs' doing, and none of the step's. What a thread sleeps, or waits for another, is not in it.
    """
    spans = [
        (run - before.get(key, (0, 0))[0], wait - before.get(key, (0, 0))[1]) for key, (run, wait) in after.items()
    ]
    all_run = sum(run for run, _ in spans)
    waits = [wait for run, wait in spans if run > IDLE * all_run]
    return sum(waits) / len(waits) / 1e9 if waits else 0.0


def _threads() -> Threads:
    """Of each thread of this process, by its number; empty where the system does not tell (only Linux does)."""
    found = {}
    for file in glob.glob("/proc/self/task/*/schedstat"):
        # A thread may have ended since.
        with contextlib.suppress(OSError, ValueError), open(file) as stat:
            run, wait, _ = map(int, stat.read().split())
            found[file] = (run, wait)
    return found


def serve(pacer: TimingWorker, requests: Iterable[str], answers: TextIO) -> None:
    """Answer requests, a line each, until there are no more."""
    _say(answers, pacer.about())
    for line in requests:
        try:
            said = pacer.answer(json.loads(line))
        except (Exception, SystemExit) as error:
            said = {"error": _one_line(error)}
        _say(answers, said)


def main() -> None:
    """Serve on standard input and what was standard output when the process began."""
    parser = argparse.ArgumentParser(prog="pacer")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--fallback", type=Path, help="the suite to read where the first cannot be")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a folder of plugins; may be repeated")
    parser.add_argument("--plugins", type=Path)
    asked = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What anybody else prints, and be it compiled code, must not be taken for an answer.
    os.dup2(2, 1)
    try:
        pacer = TimingWorker(asked)
    except (Exception, SystemExit) as error:
        _say(answers, {"error": _one_line(error)})
        return
    serve(pacer, sys.stdin, answers)


def _say(answers: TextIO, said: Mapping[str, Any]) -> None:
    answers.write(json.dumps(said, default=str) + "\n")
    answers.flush()


def _one_line(error: BaseException) -> str:
    try:
        from ganbench.core.errors import error_line
        from ganbench.suite.mistake import SuiteError
    except ImportError:
        return f"{type(error).__name__}: {error}".replace("\n", "; ")
    return str(error).replace("\n", "; ") if isinstance(error, SuiteError | ValueError) else error_line(error)


if __name__ == "__main__":
    main()
