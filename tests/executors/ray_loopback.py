"""Material: a real Ray cluster on this machine alone: a head without processors, and two nodes with one each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
#: A node ends where what it starts beside itself takes more than 15 s to begin, which nothing sets (ray issue 65983):
#: on a busy machine it is started again, so often, and each time waited for so many seconds.
TRIES, PATIENCE = 5, 90


@contextmanager
def ray_loopback() -> Iterator[tuple[object, list[object]]]:
    """The cluster, and its two nodes."""
    # Workers are as urgent as other processes: by themselves they wait for all of those, at niceness 15.
    os.environ.update(RAY_raylet_start_wait_time_s=str(PATIENCE), RAY_worker_niceness="0")
    from ray.cluster_utils import Cluster

    made = tried(lambda: Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}))
    try:
        yield made, [tried(lambda: made.add_node(num_cpus=1)) for _ in range(2)]
    finally:
        made.shutdown()


def tried(start: Callable[[], T]) -> T:
    """What starts a node, as often as it takes."""
    for _ in range(TRIES - 1):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return start()
