"""Material: an executor of a test, whose processes are forked from one that has imported all that a task needs.

A process that is started anew imports for longer than the tests' tasks train.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys

IMPORTED = ["ganbench.cli.task", "ganbench.cli.run", "ganbench.run.run", "ganbench.report.lines", "ganbench.run.parts"]
IMPORTED += ["torch._dynamo", "sklearn.mixture", "sklearn.linear_model"]
#: A file plugin of the executor ``forked``, of which everything that a test wants can be set.
PLUGIN = '''"""Forked processes, of a test."""
import forked_tasks
from ganbench import Executor, hookimpl

@hookimpl
def ganbench_executors():
    yield Executor("forked", lambda workers: forked_tasks.Forked(workers or 2))
'''


#: On which attempt at a task the worker's disk is full.
FULL: dict[int, int] = {}
#: On which attempt at a task the worker is killed when it has measured a cell's cost, before that is written.
KILLED: dict[int, int] = {}


def begin(words, environment, full, killed):
    """What the command of a task does, in a process that is forked."""
    FULL.update(full)
    os.setsid()
    os.environ.update(environment)
    from ganbench.cli import task

    if FULL.get(int(words[1])) == int(words[2]):
        from ganbench.record.journal import Journal

        def full(self, event):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

        Journal.append = full
    if killed.get(int(words[1])) == int(words[2]):
        import signal

        from ganbench.record.events import CellMeasured
        from ganbench.record.journal import Journal

        append = Journal.append

        def kill(self, event):
            if isinstance(event, CellMeasured):
                os.kill(os.getpid(), signal.SIGKILL)
            append(self, event)

        Journal.append = kill

    sys.argv = ["task", *words]
    task.task()


class Forked:
    """Forked processes; ``spoil`` is called with each job's process when it has begun."""

    every = 0.0
    spoil = staticmethod(lambda number, process: None)
    submitted: list[int] = []  # noqa: RUF012
    processes: dict[str, multiprocessing.Process] = {}  # noqa: RUF012

    def __init__(self, room):
        self.room, self.alone = room, room == 1
        self.server = multiprocessing.get_context("forkserver")
        self.server.set_forkserver_preload(IMPORTED)

    def submit(self, tasks):
        jobs = {}
        for task in tasks:
            process = self.server.Process(
                target=begin, args=(task.command[3:], {"OMP_NUM_THREADS": "1"}, FULL, KILLED), daemon=True
            )
            process.start()
            jobs[task.number] = str(process.pid)
            self.processes[str(process.pid)] = process
            self.submitted.append(task.number)
            type(self).spoil(task.number, process)
        return jobs

    def states(self, jobs):
        return {job: "running" for job in jobs if job in self.processes and self.processes[job].is_alive()}

    def stop(self, jobs):
        for job in jobs:
            self.processes[job].kill()
            self.processes[job].join()


def sleeps(words, environment, full, killed):
    """A worker that does not see the run's folder."""
    import time

    time.sleep(1)
