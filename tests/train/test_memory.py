"""Memory that runs out, many seeds, and what must not grow."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.utils._pytree import tree_map

import ganbench
from ganbench.core.errors import out_of_memory
from ganbench.train import seconds as timing
from ganbench.train.engine import engine as engines
from ganbench.train.engine.cost import PeakMemory
from ganbench.train.trainer import Trainer

TINY = "{loss: nonsaturating, architecture: {name: mlp, width: 4, depth: 1}}"


@pytest.fixture
def hungry(cell, shipped, cpu):
    """A trainer whose step has no memory for more than ``most`` replicas, and the sizes it was tried with."""

    def build(most, seeds, engine="eager"):
        trainer = Trainer([cell(TINY, seeds=seeds)], cpu, engine)
        step, tried = trainer._engine._step, []

        def limited(state, *rest):
            tried.append(len(state.survived))
            if len(state.survived) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return step(state, *rest)

        trainer._engine._step = limited
        return trainer, tried

    return build


@pytest.mark.parametrize(("most", "size"), [(10, 10), (9, 5), (5, 5), (4, 3), (1, 1)])
def test_where_memory_runs_out_half_as_many_seeds_train_at_once(most, size, hungry, trained, apart, chunked):
    """To the bits that such chunks give from the start, and the row says so."""
    trainer, tried = hungry(most, seeds=10)
    state = trainer.advance(trainer.advance(trainer.start, 0, 10), 10, 20)
    assert trainer.chunks.size == size
    assert trainer.note == ("" if size == 10 else f"memory ran out: {size} of 10 seeds train at once")
    # Each size once, and then no more in vain.
    assert [count for count in tried if count > most] == [count for count in (10, 5, 3, 2) if count > most]
    chunked(size)
    assert apart(state, trained(TINY, seeds=10, steps=20)) == 0


@pytest.mark.parametrize(("before", "size"), [(0, 10), (3, 3), (10, 10), (99, 10)])
def test_what_memory_ran_out_for_is_not_tried_again_when_a_run_goes_on(
    before, size, cell, shipped, cpu, trained, apart, chunked
):
    """With the chunks that it came to, and the row still says so."""
    trainer = Trainer([cell(TINY, seeds=10)], cpu, "eager", at_once=before)
    assert trainer.chunks.size == size
    assert trainer.note == ("" if size == 10 else f"memory ran out: {size} of 10 seeds train at once")
    state = trainer.advance(trainer.start, 0, 20)
    chunked(size)
    assert apart(state, trained(TINY, seeds=10, steps=20)) == 0


def test_one_seed_that_does_not_fit_ends_so(hungry):
    trainer, tried = hungry(0, seeds=5)
    with pytest.raises(torch.OutOfMemoryError):
        trainer.advance(trainer.start, 0, 10)
    assert tried == [5, 3, 2, 1]


def test_the_probe_itself_makes_do_with_fewer(cell, shipped, cpu, monkeypatch):
    """It times eight replicas where they fit; a cell is not lost because so many do not."""
    seconds, tried = timing._seconds, []

    def limited(*arguments):
        tried.append(arguments[-1])
        if arguments[-1] > 3:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory")
        return seconds(*arguments)

    monkeypatch.setattr(timing, "_seconds", limited)
    trainer = Trainer([cell(TINY, seeds=12)], cpu, "auto")
    assert tried == [8, 4, 2, 1]
    assert (trainer.engine, trainer.probe.serial) == ("eager", "")
    assert trainer.probe.eager_seconds > 0


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:114] err == 0. DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (
            RuntimeError(
                "aoti_torch_empty_strided(3, int_array_10, &buf30_handle) API call failed at main.cpp, line 217"
            ),
            True,
        ),
        (ValueError("memory"), False),
    ],
)
def test_what_is_said_when_memory_runs_out(error, is_memory):
    assert out_of_memory(error) == is_memory
    wrapped = RuntimeError("of something else")
    wrapped.__cause__ = error
    assert out_of_memory(wrapped) == is_memory


#: Trains 24 seeds with a batch whose activations need much more memory than the process may have, then with chunks
#: of the size that this came to.
STARVED = """
import resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from ganbench.suite.plan import plan
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.train.trainer import Trainer
from ganbench.train.engine.chunks import Chunks

registry = Registry.load()
text = '''
suite: starved
seeds: 24
budget: {steps: 2, batch: 32768}
datasets: {ring8: ring}
variants: {it: {loss: minimax, architecture: {name: mlp, width: 16, depth: 1}}}
references: []
metrics: [jsd]
'''
cell = next(cell for cell in plan(parse(text, registry)) if cell.trained)
trainer = Trainer([cell], torch.device("cpu"), "eager")
assert trainer.chunks.size == 24, trainer.chunks
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
state = trainer.advance(trainer.start, 0, 2)
size = trainer.chunks.size
assert 1 < size < 24, size
assert trainer.note == f"memory ran out: {size} of 24 seeds train at once", trainer.note
assert state.survived.tolist() == [2] * 24
again = Trainer([cell], torch.device("cpu"), "eager")
again._engine.chunks = Chunks(24, size)
for a, b in zip(state.players, again.advance(again.start, 0, 2).players):
    assert torch.equal(a.theta, b.theta)
print("halved to", size)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="takes Linux to tell how much memory is in use")
def test_memory_that_really_runs_out_is_halved():
    done = subprocess.run(
        [sys.executable, "-c", STARVED],
        env=os.environ | {"PYTHONPATH": str(Path(ganbench.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("halved to ")


def check_a_thousand(engine, cell, shipped, cpu, apart):
    trainer = Trainer([cell(TINY, seeds=1000)], cpu, engine)
    trainer.prepare()
    assert trainer.engine == engine
    state = trainer.advance(trainer.start, 0, 30)
    assert state.survived.tolist() == [30] * 1000
    for seed in (0, 31, 32, 500, 999):
        alone = Trainer([cell(TINY, seeds=[seed])], cpu, "eager")
        assert apart(state, alone.advance(alone.start, 0, 30), among=[seed]) < 1e-5


def test_a_thousand_seeds_train_in_one_cell_each_as_alone(cell, shipped, cpu, apart):
    check_a_thousand("eager", cell, shipped, cpu, apart)


@pytest.mark.slow
def test_a_thousand_seeds_train_compiled_each_as_alone(cell, shipped, cpu, apart):
    check_a_thousand("compiled", cell, shipped, cpu, apart)


@pytest.mark.slow
def test_a_compiled_run_is_halved_too(hungry, trained, apart, chunked):
    """To chunks of the size that the thousand seeds above train in, so that they are compiled already."""
    chunked(50)
    trainer, _ = hungry(25, seeds=50, engine="compiled")
    trainer.prepare()
    assert (trainer.engine, trainer.chunks.size) == ("compiled", 25)
    assert apart(trainer.advance(trainer.start, 0, 50), trained(TINY, seeds=50, steps=50)) < 1e-5


def growth(trainer):
    """The bytes that Python comes to hold in a hundred steps: of five such the one in the middle, for what is made
    or let go once, by whomever, is nothing that grows."""
    state, held = trainer.start, []
    tracemalloc.start()
    try:
        for begin in range(0, 700, 100):
            state = trainer.advance(state, begin, begin + 100)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return statistics.median(after - before for before, after in pairwise(held[1:]))


#: Of Python's memory, what a tensor takes at the least, without its numbers.
A_TENSOR = sys.getsizeof(torch.zeros(0))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["eager", "serial"])
def test_nothing_grows_with_the_number_of_steps(engine, cell, shipped, cpu):
    """Python does not come to hold half a tensor more a step."""
    trainer = Trainer([cell(TINY, seeds=1)], cpu, engine)
    assert growth(trainer) < A_TENSOR / 2 * 100
    assert sum(noise.bytes for noise in trainer._engine._noises.values()) == trainer.noise((0,)).bytes


@pytest.mark.slow
def test_one_tensor_a_step_that_is_kept_would_be_seen(cell, shipped, cpu):
    trainer = Trainer([cell(TINY, seeds=1)], cpu, "serial")
    step, kept = trainer._engine._step, []

    def keeping(state, *rest):
        kept.append(torch.zeros(0))
        return step(state, *rest)

    trainer._engine._step = keeping
    assert growth(trainer) > A_TENSOR * 100


def test_no_tensor_of_a_step_outlives_it(cell, shipped, cpu):
    """A layer's activations hold 1 MB: 200 steps that kept one of them each would take 200 MB."""
    one = cell("{loss: nonsaturating, architecture: {name: mlp, width: 1024, depth: 1, latent: 1}}", seeds=8)
    trainer = Trainer([one], cpu, "eager")
    state = trainer.advance(trainer.start, 0, 64)
    with PeakMemory(cpu) as memory:
        trainer.advance(state, 64, 264)
    if memory.peak is None:
        pytest.skip("the system does not tell")
    assert memory.peak < 50 * 2**20


def test_noise_that_is_too_large_to_keep_is_not_kept(trained, apart, cell, shipped, cpu, monkeypatch):
    kept = trained(TINY, steps=20)
    monkeypatch.setattr(engines, "KEPT_BYTES", 0)
    trainer = Trainer([cell(TINY, seeds=3)], cpu, "eager")
    state = trainer.advance(trainer.advance(trainer.start, 0, 7), 7, 20)
    assert not trainer._engine._noises
    assert apart(state, kept) == 0
    assert tree_map(lambda tensor: tensor.shape, state) == tree_map(lambda tensor: tensor.shape, kept)
