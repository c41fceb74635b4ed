"""How many threads work is shared out among: one for each of many small pieces, all of torch's for a large one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import torch

#: Numbers of a tensor below which to share out its work costs more than it saves; and many times as much where others
#: use the machine too, since all threads wait for the one that has to wait for a processor.
SMALL = 2**20


@cache
def pool(workers: int, each: int) -> ThreadPoolExecutor:
    """Threads that stay: each tells torch once how many of its own it may use."""
    return ThreadPoolExecutor(workers, "ganbench", torch.set_num_threads, (each,))


def fitting(numbers: float) -> int:
    """How many threads tensors of so many ``numbers`` together are worth: one if they are small."""
    return 1 if numbers < SMALL else torch.get_num_threads()


def threads_for(numbers: int) -> AbstractContextManager[None]:
    """Meanwhile this thread's tensors, of so many ``numbers``, are worked on by as many threads as they are worth."""
    return threads(fitting(numbers))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Meanwhile this thread's tensors are worked on by so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
