"""Slurm: the tasks of a run as one array of jobs, by sbatch, squeue and scancel alone, without accounting.

A job that is preempted, whose node fails or whose time is up is put into the queue again by Slurm itself, without the
head; it goes on from its last checkpoint. `--slurm KEY=VALUE` sets what sbatch is told; `more` is given to it as it is.
https://slurm.schedmd.com/sbatch.html
"""

import getpass
import shlex
import shutil
import subprocess
import time

from ganbench import Executor, hookimpl

#: How often Slurm itself starts a job again whose time is up.
RESTARTS = 20
#: Jobs of an array: where a site says nothing, its numbers end at 1,000 (MaxArraySize).
ARRAY = 1000
#: Seconds for which the controller may not answer, as while it starts again.
UNANSWERED = 900
SCRIPT = """#!/bin/sh
trap 'test "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} && scontrol requeue "$SLURM_JOB_ID"' USR1
trap 'kill "$task"; wait "$task"; exit 143' TERM
case "$SLURM_ARRAY_TASK_ID" in
{cases}
esac
"$@" &
task=$!
wait "$task"
code=$?
while kill -0 "$task" 2>/dev/null; do wait "$task"; code=$?; done
exit "$code"
"""


class Jobs:
    """Jobs of the user's; a job's name is ``ARRAY_INDEX``, as squeue has it."""

    room = None

    def __init__(self, run, workers, options, alone, every):
        self.run, self.workers, self.options = run, workers, options
        self.alone, self.every = alone, every
        self.known, self.answered = {}, time.monotonic()

    def submit(self, tasks):
        tasks, jobs = list(tasks), {}
        arrays = [tasks[at : at + ARRAY] for at in range(0, len(tasks), ARRAY)]
        for array in arrays:
            try:
                jobs |= self.submit_array(array, len(arrays))
            except ValueError:
                self.stop(jobs.values())  # of those nobody would know
                raise
        self.known |= dict.fromkeys(jobs.values(), "waiting")
        return jobs

    def submit_array(self, tasks, arrays):
        """The jobs of one array, whose own numbers begin at 1; ``arrays`` share what may be at work at a time."""
        cases = (f"{index}) set -- {shlex.join(task.command)} ;;" for index, task in enumerate(tasks, 1))
        at_once = f"%{max(1, self.workers // arrays)}" if self.workers else ""
        said = call(
            *("sbatch", "--parsable", "--requeue", "--signal=B:USR1@60", f"--array=1-{len(tasks)}{at_once}"),
            *(f"--job-name=ganbench-{self.run.name}", f"--output={self.run}/tasks/slurm-%A_%a.out", *self.options),
            script=SCRIPT.format(cases="\n".join(cases), restarts=RESTARTS),
        )
        array = said.strip().partition(";")[0]
        return {task.number: f"{array}_{index}" for index, task in enumerate(tasks, 1)}

    def states(self, jobs):
        try:
            said = call("squeue", "--noheader", "--array", f"--user={getpass.getuser()}", "--format=%i %t")
        except ValueError:
            # The controller does not answer: it is asked again, and what has finished is known from the journals.
            if time.monotonic() > self.answered + UNANSWERED:
                raise
            return {job: self.known.get(job, "waiting") for job in jobs}
        self.answered = time.monotonic()
        now = dict(line.split() for line in said.splitlines() if line.strip())
        self.known = {
            job: "waiting" if now[job] in ("PD", "RQ", "RH", "RS") else "running" for job in jobs if job in now
        }
        return self.known

    def stop(self, jobs):
        jobs = list(jobs)
        for at in range(0, len(jobs), 500):
            call("scancel", *jobs[at : at + 500])


def call(*words, script=None):
    """What a command of Slurm prints. Raises ValueError, in one line, where it fails."""
    try:
        done = subprocess.run(words, input=script, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"{words[0]}: {error}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise ValueError(said if said.startswith(f"{words[0]}: ") else f"{words[0]}: {said}")
    return done.stdout


def slurm(
    run,
    workers,
    *,
    timeout_min: int | None = None,
    partition: str | None = None,
    account: str | None = None,
    qos: str | None = None,
    constraint: str | None = None,
    gpus_per_node: int | str | None = None,
    cpus_per_task: int | None = None,
    mem: int | str | None = None,
    exclusive: bool = False,
    more: str = "",
    every: float = 10.0,
):
    """As sbatch's options of these names; timeout_min is its --time. With exclusive, a task's clocks count."""
    if lacking := next((name for name in ("sbatch", "squeue", "scancel") if not shutil.which(name)), None):
        raise ValueError(f"executor 'slurm' needs {lacking}, which is not on this machine: is it a login node?")
    call("squeue", "--noheader", "--me")  # a controller that does not answer is told before anything is planned
    told = {
        "time": timeout_min,
        "partition": partition,
        "account": account,
        "qos": qos,
        "constraint": constraint,
        "gpus-per-node": gpus_per_node,
        "cpus-per-task": cpus_per_task,
        "mem": mem,
    }
    options = [f"--{name}={value}" for name, value in told.items() if value is not None]
    options += ["--exclusive"] if exclusive else []
    return Jobs(run, workers, [*options, *shlex.split(more)], exclusive, every)


@hookimpl
def ganbench_executors():
    yield Executor("slurm", slurm)
