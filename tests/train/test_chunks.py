"""How many replicas run at once: every one in one part, as many as fit, and never none."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganbench.train.engine import chunks
from ganbench.train.engine.chunks import (
    CACHE,
    CALL,
    FREE,
    MOST,
    MOST_BYTES,
    SPARE,
    Chunks,
    chunk_bytes,
    free_memory,
    in_cache,
    in_memory,
)
from ganbench.train.engine.cost import StepCost

replicas_ = st.integers(1, 3000)
threads_ = st.integers(1, 64)
bytes_ = st.integers(1, 2**34)
GIB = 2**30


def cost(peak, state=0, draws=0):
    return StepCost(1, 1, 1, peak, parameters=1, state_bytes=state, draw_bytes=draws)


@given(replicas_, replicas_)
def test_every_replica_is_in_exactly_one_part_in_order_and_no_part_is_too_large(replicas, size):
    parts = Chunks(replicas, size).parts()
    assert [replica for part in parts for replica in part] == list(range(replicas))
    assert all(1 <= len(part) <= size for part in parts)
    # Only the last is short.
    assert all(len(part) == size for part in parts[:-1])


@given(replicas_, threads_, bytes_, bytes_)
def test_a_compiled_chunk_is_of_the_size_that_is_done_first_of_those_that_fit_a_cache(replicas, threads, peak, state):
    found = in_cache(replicas, cost(peak, state), threads)
    most = min(max(1, CACHE // (peak + state)), MOST)
    assert 1 <= found.size <= most
    assert found.workers == min(threads, replicas)
    assert found.threads >= 1
    assert found.workers * found.threads <= threads

    def rounds(size):
        return math.ceil(math.ceil(replicas / size) / found.workers) * (size + CALL)

    assert rounds(found.size) == min(map(rounds, range(1, most + 1)))


@pytest.mark.parametrize(("replicas", "threads", "size"), [(32, 2, 16), (8, 2, 4), (3, 2, 2), (1, 8, 1), (1000, 1, 25)])
def test_small_networks_fill_all_cores_in_as_few_calls_as_can_be(replicas, threads, size):
    assert in_cache(replicas, cost(1000), threads).size == size


@given(replicas_, bytes_, bytes_, bytes_, st.integers(1, 64), st.integers(1, 2**40))
def test_chunks_in_memory_are_equal_and_fit_into_their_bytes(replicas, peak, state, draws, block, most_bytes):
    """Unless one alone does not: then it is tried all the same."""
    found = in_memory(replicas, cost(peak, state, draws), block, most_bytes, 7)
    each = SPARE * peak + 2 * state + draws * block
    assert 1 <= found.size <= replicas
    assert found.size == 1 or found.size * each <= most_bytes
    assert (found.workers, found.threads) == (1, 7)
    # One chunk fewer would not do, and none is more than a little smaller than the others.
    count = len(found.parts())
    assert count == 1 or math.ceil(replicas / (count - 1)) * each > most_bytes
    assert found.size * count - replicas < count


def test_where_the_system_does_not_tell_all_train_at_once(monkeypatch):
    monkeypatch.setattr(chunks, "_read", lambda path: "")
    assert free_memory(torch.device("cpu")) == math.inf
    assert chunk_bytes(torch.device("cpu")) == MOST_BYTES


@given(st.floats(0, 2**50), st.sampled_from(["cpu", "cuda"]))
def test_what_a_chunk_may_take_is_a_share_of_what_is_free(free, name):
    """At least half of that share, and on a CPU no more than makes anything faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "free_memory", lambda device: free)
        found = chunk_bytes(torch.device(name))
    share = max(1.0, FREE * free if name == "cuda" else min(FREE * free, MOST_BYTES))
    assert share / 2 < found <= share


def test_machines_of_one_kind_have_the_same_chunks_though_their_free_memory_differs(monkeypatch):
    sizes = set()
    for free in (7.0 * GIB, 9.5 * GIB, 60.0 * GIB):
        monkeypatch.setattr(chunks, "free_memory", lambda device, free=free: free)
        sizes.add(in_memory(1000, cost(10**7), 64, chunk_bytes(torch.device("cpu")), 1).size)
    assert len(sizes) == 1


@given(replicas_, replicas_, st.integers(1, 8))
def test_halving_ends_at_one_at_a_time_with_no_other_beside(replicas, size, workers):
    found, times = Chunks(replicas, size, workers), 0
    while found.size > 1:
        smaller, times = found.halved(), times + 1
        assert (smaller.replicas, smaller.workers) == (replicas, 1)
        assert found.size / 2 <= smaller.size < found.size
        found = smaller
    assert times <= math.ceil(math.log2(size)) + 1


def test_what_is_free_here_is_more_than_nothing():
    assert free_memory(torch.device("cpu")) > 0


MEMINFO = "MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:   16777216 kB\n"


@pytest.mark.parametrize(
    ("group", "free"),
    [
        ({}, 16 * GIB),
        ({"max": "max\n", "current": f"{GIB}\n"}, 16 * GIB),
        ({"max": f"{4 * GIB}\n", "current": f"{GIB}\n"}, 3 * GIB),
        ({"max": f"{64 * GIB}\n", "current": f"{GIB}\n"}, 16 * GIB),
        # Files that were read and are not in use are given up where memory is wanted.
        ({"max": f"{4 * GIB}\n", "current": f"{4 * GIB}\n", "stat": f"anon 5\ninactive_file {2 * GIB}\n"}, 2 * GIB),
        ({"max": f"{4 * GIB}\n", "current": f"{5 * GIB}\n"}, 0),
    ],
    ids=["no group", "no limit", "limit", "limit beyond the machine's", "full of files", "full"],
)
def test_a_container_may_have_less_than_its_machine(group, free, monkeypatch):
    files = {f"/sys/fs/cgroup/memory.{name}": text for name, text in group.items()} | {"/proc/meminfo": MEMINFO}
    monkeypatch.setattr(chunks, "_read", lambda path: files.get(path, ""))
    assert free_memory(torch.device("cpu")) == free


def test_a_gpus_free_memory_is_what_it_has_and_what_torch_holds_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10 * GIB, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 6 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2 * GIB)
    assert free_memory(torch.device("cuda")) == 14 * GIB
