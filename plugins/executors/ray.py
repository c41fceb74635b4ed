"""Ray: each task on any node of a cluster.

Ray itself starts none again: it would do so without a word, and without end where a node lacks memory. Where a worker
or its node is lost, the head submits the task again, and says so. A task of Ray's ends with the process that submitted
it: where the head is lost, the same command reads the journals and submits what has not finished.
https://docs.ray.io/en/latest/ray-core/fault_tolerance/tasks.html
"""

import sys
from contextlib import suppress

from ganbench import Executor, hookimpl


def trained(command):
    """What a node does: it says that it has begun, by its first value, and runs a command."""
    import subprocess

    yield True
    yield subprocess.call(command, stdin=subprocess.DEVNULL)


class RemoteTasks:
    """Tasks of this process: another one does not know them. A job is a generator's name."""

    alone, every = False, 0.5

    def __init__(self, workers, address, options):
        self.room, self.address, self.options = workers, address, options
        self.started, self.begun = {}, set()

    def submit(self, tasks):
        import ray

        if not ray.is_initialized():
            ray.init(address=self.address, log_to_driver=False, configure_logging=False)
        # A worker is sent the function, for it may not have this file.
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        call = ray.remote(trained).options(max_retries=0, scheduling_strategy="SPREAD", **self.options)
        jobs = {}
        for task in tasks:
            # Where Ray's worker is lost, its process must not train beside the one that is started in its place.
            generator = call.remote([*task.command, "--with-parent"])
            jobs[task.number] = job = generator.completed().hex()
            self.started[job] = generator
        return jobs

    def states(self, jobs):
        if not (own := [job for job in jobs if job in self.started]):
            return {}
        import ray

        ends = {self.started[job].completed(): job for job in own}
        over, _ = ray.wait([*ends], num_returns=len(ends), timeout=0)
        for reference in over:
            with suppress(ray.exceptions.RayError):  # how it ended is in its journal and its log
                ray.get(reference)
            self.begun.discard(ends[reference])
            del self.started[ends[reference]]
        left = {self.started[job]: job for job in own if job in self.started}
        if waiting := [one for one, job in left.items() if job not in self.begun]:
            begun, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
            self.begun |= {left[one] for one in begun}
        return {job: "running" if job in self.begun else "waiting" for job in left.values()}

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
