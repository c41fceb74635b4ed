"""The timing worker: times chunks of training steps of a suite's cases on request, with the ganbench on its path.

It runs as a script, ``python -P timing_worker.py SUITE``, and imports ganbench in functions only: this file may run
with the ganbench of another revision. It speaks JSON, one object a line: first it writes which cases there are, then it
answers each line that it reads. The key "pacer" is an old name of the worker, which older revisions use.

* written first: ``{"pacer": 1, "ganbench": "0.1.0", "torch": ..., "suite": path read, "batches": [{"cases": [[dataset,
  variant], ...], "work": ...}]}``; a batch is cells that train together, ``work`` describes what they compute
* ``{"do": "prepare", "case": [dataset, variant], "engine": name}``: ``{"engine": name, "replicas": n, "block": steps,
  "note": text}``; the case replaces the one before
* ``{"do": "time", "begin": step, "steps": n, "times": k}``: ``{"seconds": [k numbers]}``, each of n steps of all
  replicas from the state before training, with the random numbers of the steps from ``begin`` on; the time for which
  its threads waited for a core that another program used is subtracted
* after any error: ``{"error": "one line"}``; the next request is answered as usual

It ends when its input ends. What plugins print goes to standard error.
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

#: The protocol's version: increased when a request or an answer changes its meaning.
VERSION = 1
#: A thread that did less than this share of all work counts as idle.
IDLE = 0.1

#: For each thread, the nanoseconds that it has run, and that it waited for a core while it was ready to run.
Threads = Mapping[str, tuple[int, int]]


class TimingWorker:
    """A suite's batches of cells, one of which is ready to train."""

    def __init__(self, options: argparse.Namespace) -> None:
        from ganbench.plugin.registry import Registry
        from ganbench.suite.load import load
        from ganbench.suite.mistake import SuiteError
        from ganbench.suite.plan import batches, plan
        from ganbench.train.device import choose

        registry = Registry.load(options.beside, options.plugins)
        self.suite = options.suite
        try:
            suite = load(self.suite, registry)
        except SuiteError:
            if options.fallback is None:
                raise
            self.suite = options.fallback
            suite = load(self.suite, registry)
        if options.seeds is not None:
            suite = suite.with_seeds(options.seeds)
        self.device = choose(options.device)
        trained = [cells for cells in batches(plan(suite)) if cells[0].trained is not None]
        self.batches = {(cells[0].dataset, cells[0].variant): cells for cells in trained}
        self.trainer: Trainer | None = None

    def about(self) -> dict[str, Any]:
        """The object that is written first: versions, and the batches that can be timed."""
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
        """Make a batch ready, as a run does; it replaces the one before."""
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
        """Time chunks of steps of the batch that is ready, with one synchronisation each.

        Args:
            begin: the index of the first step
            steps: how many steps a chunk has
            times: how many chunks to time

        Returns:
            ``seconds``: a list, a number for each chunk.
        """
        assert self.trainer is not None
        seconds = []
        for first in range(begin, begin + steps * times, steps):
            threads, before = _threads(), time.perf_counter()
            self.trainer.advance(self.trainer.start, first, first + steps)
            if self.device.type == "cuda":
                import torch

                torch.cuda.synchronize(self.device)
            took = time.perf_counter() - before
            # A GPU goes on while a thread waits.
            queue = 0.0 if self.device.type == "cuda" else queued(threads, _threads())
            seconds.append(max(took - queue, took / 1000))
        return {"seconds": seconds}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        if request["do"] == "prepare":
            return self.prepare(request["case"], request["engine"])
        return self.time(request["begin"], request["steps"], request["times"])


def queued(before: Threads, after: Threads) -> float:
    """Seconds for which the busy threads were ready to run, but had no core: their mean.

    Other programs cause this, not the step. Time that a thread sleeps, or waits for another thread, is not included.
    """
    spans = [
        (run - before.get(key, (0, 0))[0], wait - before.get(key, (0, 0))[1]) for key, (run, wait) in after.items()
    ]
    all_run = sum(run for run, _ in spans)
    waits = [wait for run, wait in spans if run > IDLE * all_run]
    return sum(waits) / len(waits) / 1e9 if waits else 0.0


def _threads() -> Threads:
    """The times of each thread of this process; empty where the system does not give them (only Linux does)."""
    found = {}
    for file in glob.glob("/proc/self/task/*/schedstat"):
        # A thread may have ended meanwhile.
        with contextlib.suppress(OSError, ValueError), open(file) as stat:
            run, wait, _ = map(int, stat.read().split())
            found[file] = (run, wait)
    return found


def serve(worker: TimingWorker, requests: Iterable[str], answers: TextIO) -> None:
    """Write what the worker can time, then answer requests until there are no more.

    Args:
        worker: what answers them
        requests: the requests, a line of JSON each
        answers: where a line of JSON is written for each
    """
    _write(answers, worker.about())
    for line in requests:
        try:
            answer = worker.answer(json.loads(line))
        except (Exception, SystemExit) as error:
            answer = {"error": _one_line(error)}
        _write(answers, answer)


def main() -> None:
    """Serve on standard input, and on the standard output that the process began with."""
    parser = argparse.ArgumentParser(prog="timing_worker")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--fallback", type=Path, help="the suite to read where the first cannot be read")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a folder of plugins; may be repeated")
    parser.add_argument("--plugins", type=Path)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Output of other code, compiled code too, goes to standard error: it must not be taken for an answer.
    os.dup2(2, 1)
    try:
        worker = TimingWorker(options)
    except (Exception, SystemExit) as error:
        _write(answers, {"error": _one_line(error)})
        return
    serve(worker, sys.stdin, answers)


def _write(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer, default=str) + "\n")
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
