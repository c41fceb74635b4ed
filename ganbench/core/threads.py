"""How many threads work on a tensor: one thread for small tensors, all of torch's threads for large ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import torch

#: A tensor with fewer elements than this is small: several threads cost more time than they save. They cost many times
#: more where other programs use the machine too, since all threads wait for the one that waits for a processor.
SMALL = 2**20


@cache
def pool(workers: int, each: int) -> ThreadPoolExecutor:
    """A pool of ``workers`` threads, made once; in each of them torch uses ``each`` threads of its own."""
    return ThreadPoolExecutor(workers, "ganbench", torch.set_num_threads, (each,))


def fitting(numbers: float) -> int:
    """How many threads should work on tensors of so many elements (``numbers``) in all: one where they are small."""
    return 1 if numbers < SMALL else torch.get_num_threads()


def threads_for(numbers: int) -> AbstractContextManager[None]:
    """Inside the block torch works on this thread's tensors, of so many elements in all, with ``fitting`` threads."""
    return threads(fitting(numbers))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside the block torch works on this thread's tensors with ``count`` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
