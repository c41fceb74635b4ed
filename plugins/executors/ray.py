"""Ray: each task on any node of a cluster, started again by Ray itself where its worker or its node is lost.

A task of Ray's ends with the process that submitted it: where the head is lost, the same command reads the journals and
submits what has not finished. https://docs.ray.io/en/latest/ray-core/fault_tolerance/tasks.html
"""

import subprocess
from contextlib import suppress

from ganbench import Executor, hookimpl


class RemoteTasks:
    """Tasks of this process: another one does not know them."""

    alone, every = False, 0.5

    def __init__(self, workers, address, options):
        self.room, self.address, self.options = workers, address, options
        self.started = {}

    def submit(self, tasks):
        import ray

        if not ray.is_initialized():
            ray.init(address=self.address, log_to_driver=False, configure_logging=False)
        # A function of Python's own: a worker needs nothing of this process, nor of this file.
        call = ray.remote(subprocess.call).options(max_retries=3, scheduling_strategy="SPREAD", **self.options)
        jobs = {}
        for task in tasks:
            # Where Ray's worker is lost, its process must not train beside the one that is started in its place.
            reference = call.remote([*task.command, "--with-parent"], stdin=subprocess.DEVNULL)
            jobs[task.number] = job = reference.hex()
            self.started[job] = reference
        return jobs

    def states(self, jobs):
        own = {self.started[job]: job for job in jobs if job in self.started}
        if not own:
            return {}
        import ray

        over, at_work = ray.wait([*own], num_returns=len(own), timeout=0)
        for reference in over:
            with suppress(ray.exceptions.RayError):  # how it ended is in its journal and its log
                ray.get(reference)
            del self.started[own[reference]]
        return {own[reference]: "running" for reference in at_work}

    def stop(self, jobs):
        import ray

        for job in jobs:
            if job in self.started:
                ray.cancel(self.started[job], force=True)


def ray(workers, *, address: str | None = None, num_cpus: float = 1, num_gpus: float = 0):
    """On the cluster at address, else at RAY_ADDRESS, else the one that was started here, else one of this machine."""
    return RemoteTasks(workers, address, {"num_cpus": num_cpus, "num_gpus": num_gpus})


@hookimpl
def ganbench_executors():
    yield Executor("ray", ray, needs={"ray": "ganbench[ray]"})
