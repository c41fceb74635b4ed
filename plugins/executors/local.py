"""Local processes: each task in a process of its own on this machine, as many at a time as asked for, or one a GPU.

With several processes on a CPU each gets its share of the cores, unless OMP_NUM_THREADS says how many threads.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from ganbench import Executor, hookimpl
from ganbench.core.cpus import allowed


class Processes:
    """Processes on this machine. A job is ``PID START DEVICE``: a number is used again, but not at the same time."""

    every = 0.0

    def __init__(self, workers, devices):
        self.devices = devices
        self.room = workers or len(devices)
        self.alone = self.room == 1
        self.started, self.known = {}, set()

    def submit(self, tasks):
        jobs = {}
        for task in tasks:
            used = [job.split()[-1] for job in self.states(self.known)]
            device = min(range(len(self.devices)), key=lambda at: used.count(str(at)))
            nothing = subprocess.DEVNULL
            try:
                process = subprocess.Popen(
                    task.command,
                    env=self.environment(self.devices[device]),
                    stdin=nothing,
                    stdout=nothing,
                    stderr=nothing,
                    start_new_session=True,  # so that Ctrl-C is the head's to handle
                )
            except OSError:
                self.stop(jobs.values())  # of those nobody would know
                raise
            # One that is over already had a start, too.
            jobs[task.number] = job = f"{process.pid} {start_of(process.pid) or 'unknown'} {device}"
            self.started[job] = process
            self.known.add(job)
        return jobs

    def environment(self, device):
        """Those of a process on a device: it sees no other GPU, so that all processes call theirs by one name."""
        own = {}
        kind, _, index = device.partition(":")
        if kind == "cuda" and index:
            seen = os.environ.get("CUDA_VISIBLE_DEVICES")
            own["CUDA_VISIBLE_DEVICES"] = seen.split(",")[int(index)] if seen else index
        if self.room > 1 and "OMP_NUM_THREADS" not in os.environ:
            own["OMP_NUM_THREADS"] = str(max(1, allowed() // self.room))
        return {**os.environ, **own}

    def states(self, jobs):
        self.known = {*self.known, *jobs}
        return {job: "running" for job in jobs if self.runs(job)}

    def runs(self, job):
        if job in self.started:
            return self.started[job].poll() is None
        number, start, _ = job.split()
        return start_of(int(number)) == start

    def stop(self, jobs):
        jobs = list(jobs)
        for job in jobs:
            end(int(job.split()[0]), signal.SIGTERM)
        until = time.monotonic() + 5
        while self.states(jobs) and time.monotonic() < until:
            time.sleep(0.05)
        for job in self.states(jobs):
            end(int(job.split()[0]), getattr(signal, "SIGKILL", signal.SIGTERM))
            if job in self.started:
                self.started[job].wait()


def start_of(number):
    """When a process began, in words without spaces; empty where it is over."""
    with suppress(OSError):  # Linux; a name may have spaces and brackets
        state, *more = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return "" if state == "Z" else more[18]
    if Path("/proc/self/stat").exists():
        return ""
    with suppress(OSError):
        said = subprocess.run(["ps", "-o", "lstart=", "-p", str(number)], capture_output=True, text=True)
        return "-".join(said.stdout.split())
    return ""


def end(number, sign):
    """Send a signal to a process and those that it has started."""
    with suppress(OSError):
        os.killpg(number, sign) if hasattr(os, "killpg") else os.kill(number, sign)


def local(workers, devices):
    return Processes(workers, devices)


@hookimpl
def ganbench_executors():
    yield Executor("local", local)
