"""Several steps as one CUDA graph, on a stand-in for CUDA: what was captured is done again at the same addresses.

The stand-in records the operations that ran, with the tensors that they read and wrote, and replays just these. So it
shows what a graph would make of a step that does not read all it needs from where the engine copies it to, or leaves
its result where the next replay overwrites it; not what a driver refuses to capture.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganbench.train.engine import cuda_graph as capture
from ganbench.train.engine import engine as engines
from ganbench.train.engine.cuda_graph import STEPS, Captured
from ganbench.train.trainer import Trainer

VARIANTS = {
    "alternating": "{loss: wgan-gp, architecture: {name: mlp, width: 8, dropout: 0.3}}",
    "untouched state": "{loss: minimax, update: simultaneous, optimizer: {name: sgd, lr: 0.01, momentum: 0.0}}",
    "scheduled": "{loss: minimax, optimizer: {schedule: {name: cosine, warmup: 20}}}",
}


class Tape(TorchDispatchMode):
    """Records operations with their tensors, and does them again into the same tensors."""

    def __init__(self):
        super().__init__()
        self.operations, self.replays = [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.operations.append((func, args, kwargs or {}, result))
        return result

    def replay(self):
        self.replays += 1
        for func, args, kwargs, result in self.operations:
            again = func(*args, **kwargs)
            for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                # A view shows what its base holds by now.
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


@pytest.fixture
def cuda(monkeypatch):
    """CUDA's part in capturing, played on a CPU; the graphs that were made."""
    graphs = []

    def graph():
        graphs.append(Tape())
        return graphs[-1]

    @contextmanager
    def capturing(recorder, stream):
        assert stream.waited
        with recorder:
            yield

    def stream(device=None):
        made = SimpleNamespace(waited=False)
        made.wait_stream = lambda other: setattr(made, "waited", True)
        return made

    monkeypatch.setattr(torch.cuda, "CUDAGraph", graph)
    monkeypatch.setattr(torch.cuda, "graph", capturing)
    monkeypatch.setattr(torch.cuda, "Stream", stream)
    monkeypatch.setattr(torch.cuda, "current_stream", stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    # Compiling is another test's matter.
    monkeypatch.setattr(engines, "compiled", lambda step, *rest, **more: (step, ""))
    return graphs


class OnCuda(torch.Tensor):
    """A tensor that says it is on a GPU, until something is computed with it."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    is_cuda = True


@pytest.fixture
def advance():
    """Train as on a GPU: the state after some more steps."""

    def on_cuda(trainer, state, begin, end):
        claimed = torch.Tensor._make_subclass(OnCuda, state.survived)
        return trainer._engine.run(state._replace(survived=claimed), trainer.constants, begin, end)

    return on_cuda


@pytest.fixture
def trainer(cell, shipped, cpu):
    def build(variant, engine="eager"):
        trainer = Trainer([cell(variant, seeds=3)], cpu, "eager")
        trainer._engine.name = engine
        return trainer

    return build


@pytest.mark.parametrize("name", VARIANTS)
def test_captured_steps_are_the_steps(name, cuda, advance, trainer, apart):
    """Slices of one graph and less, of several and some steps more; to the bit, at every end."""
    one, plain = trainer(VARIANTS[name], "compiled"), trainer(VARIANTS[name])
    state = expected = one.start
    for begin, end, replays in ((0, 1, 0), (1, 40, 2), (40, 56, 1), (56, 60, 0), (60, 140, 5)):
        before = cuda[0].replays if cuda else 0
        state, expected = advance(one, state, begin, end), plain.advance(expected, begin, end)
        assert cuda[0].replays - before == replays
        assert state.survived.tolist() == [end] * 3
        for a, b in zip(tree_leaves(state), tree_leaves(expected), strict=True):
            assert torch.equal(a, b)
    # All with one capture.
    assert len(cuda) == 1


def test_a_state_that_was_given_back_is_not_overwritten_by_the_next(cuda, advance, trainer):
    one = trainer(VARIANTS["alternating"], "compiled")
    first = advance(one, one.start, 0, STEPS)
    kept = [leaf.clone() for leaf in tree_leaves(first)]
    advance(one, first, STEPS, 3 * STEPS)
    assert all(torch.equal(a, b) for a, b in zip(tree_leaves(first), kept, strict=True))
    assert one.start.survived.tolist() == [0, 0, 0]


def test_a_seed_that_diverges_inside_a_graph_is_counted_out_at_its_step(cuda, advance, trainer):
    one = trainer(VARIANTS["alternating"], "compiled")
    state = advance(one, one.start, 0, STEPS)
    state.players.G.theta[1] = torch.nan
    assert advance(one, state, STEPS, 4 * STEPS).survived.tolist() == [4 * STEPS, STEPS, 4 * STEPS]


@pytest.mark.parametrize("memory", [False, True])
def test_where_capture_fails_steps_go_one_by_one_and_the_row_says_so(
    memory, cuda, advance, trainer, apart, monkeypatch
):
    """Tried once; but memory that runs out halves the batch, as ever."""
    tried = []

    def fail(step, state, *rest):
        tried.append(len(state[0]))
        if memory and len(state[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        raise RuntimeError("operation not permitted when stream is capturing\nand more words")

    monkeypatch.setattr(engines, "Captured", fail)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    one, plain = trainer(VARIANTS["alternating"], "compiled"), trainer(VARIANTS["alternating"])
    state = advance(one, advance(one, one.start, 0, 20), 20, 40)
    assert tried == ([3, 2] if memory else [3])
    said = "CUDA graphs could not be captured: RuntimeError: operation not permitted when stream is capturing"
    assert one._engine.note == ("memory ran out: 2 of 3 seeds train at once; " if memory else "") + said
    assert apart(state, plain.advance(plain.start, 0, 40)) < 1e-6


def test_the_stand_in_finds_a_step_out_that_reads_what_is_not_copied(cuda):
    """A number that Python counts is, to a graph, what it was at the capture."""
    calls = 0

    def counting(state, constants, draws, index):
        nonlocal calls
        calls += 1
        return [state[0] + torch.full((2,), float(calls))]

    one = Captured(counting, [torch.zeros(2)], [], ())
    (first,) = one.run([torch.zeros(2)], [], (), torch.tensor(0))
    (second,) = one.run([torch.zeros(2)], [], (), torch.tensor(STEPS))
    assert torch.equal(first, second)
    assert calls == 2 + STEPS


def test_a_graph_is_a_whole_part_of_a_block_of_random_numbers():
    """Or else each span of draws would be put together from two blocks."""
    from ganbench.train.step.draws import BLOCK_STEPS

    assert BLOCK_STEPS % capture.STEPS == 0
