"""Engines: one step written for one model, run for all replicas, a chunk of them at a time.

* ``eager``: ``vmap`` over the replicas, operation by operation: nothing to compile.
* ``compiled``: the same step compiled as a whole; a chunk on each core of a CPU, CUDA graphs of several steps on a GPU.
* ``serial``: one replica after another with the autograd tape: for plugins that cannot be batched.

Their results differ by rounding alone, and so do the results of chunks of different sizes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ganbench.core.errors import error_line, out_of_memory
from ganbench.core.rng import isolated, reseed
from ganbench.core.threads import pool, threads
from ganbench.train.engine.chunks import Chunks
from ganbench.train.engine.compiler import compiled
from ganbench.train.engine.cuda_graph import STEPS, Captured
from ganbench.train.step.draws import RandomBlocks
from ganbench.train.step.step import Constants, Draws, FlatStep, State, Step, batch, flat, of_replica

ENGINES = ("eager", "compiled", "serial")
#: Blocks of random numbers are kept between two runs of steps if all of them together take at most this many bytes.
KEPT_BYTES = 2**28
#: Steps after which a thread puts its chunk back and takes another.
TURN = 16


class Engine:
    """Runs steps of all replicas.

    ``name``: one of ``ENGINES``. ``step``: the step of one model, with the engine's kind of gradient. ``noise``: makes
    the random blocks of some seeds. ``seeds``: the seed of each replica. ``shared``: see ``compiled``. ``reseeds``:
    whether code that draws from a global generator finds it seeded at each step of a serial engine; not needed for a
    step that can be batched and is only timed.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        noise: Callable[[tuple[int, ...]], RandomBlocks],
        seeds: Sequence[int],
        chunks: Chunks,
        *,
        shared: str,
        reseeds: bool = True,
    ) -> None:
        self.name = name
        self.chunks = chunks
        #: Notes on how it runs, for the tables.
        self.note = ""
        self._step = step if name == "serial" else batch(step)
        self._noise_of = noise
        self._seeds = tuple(seeds)
        self._shared = shared
        self._reseeds = reseeds
        self._noises: dict[range, RandomBlocks] = {}
        #: The captured steps by the number of replicas; None where capture failed.
        self._captured: dict[int, Captured | None] = {}

    @property
    def block(self) -> int:
        """How many steps to time at once: in so many, all random numbers that are drawn are used, so drawing counts."""
        return self._noise_of(self._seeds[:1]).longest

    def run(self, state: State, constants: Constants, start: int, stop: int) -> State:
        """Run steps start, ..., stop - 1 of all replicas.

        Where memory runs out, it starts again with half as many replicas at once, down to one.

        Args:
            state: the state of all replicas after ``start`` steps
            constants: the buffers and swept values of all replicas
            start: the first step
            stop: the step to stop before

        Returns:
            The state after ``stop`` steps.
        """
        while True:
            try:
                return self._run(state, constants, start, stop)
            except Exception as error:
                if self.chunks.halved() == self.chunks or not out_of_memory(error):
                    raise
                self.shrink(self.chunks.halved().size)
            # After the handler: the error keeps the tensors alive that filled the memory.
            self._noises.clear()
            self._captured.clear()
            if state.survived.is_cuda:
                torch.cuda.empty_cache()

    def shrink(self, size: int) -> None:
        """Run only so many replicas at once from now on, since memory ran out with more."""
        self.chunks = self.chunks.smaller(size)
        self.note = f"memory ran out: {size} of {self.chunks.replicas} seeds train at once"

    def prepare(self, state: State, constants: Constants) -> None:
        """Compile the step now, if the engine is ``compiled``, so that the first steps need not wait for it."""
        if self.name == "compiled":
            self.run(state, constants, 0, 1)

    def _run(self, state: State, constants: Constants, start: int, stop: int) -> State:
        indices = torch.arange(start, stop, device=state.survived.device).unbind()
        if self.name == "serial":
            with threads(self.chunks.threads):
                return self._serial(state, constants, start, stop, indices)
        structure = tree_flatten(state)[1]
        stopping = threading.Event()
        parts = self.chunks.parts()
        chunks = [self._chunk(part, state, constants, start, indices, stopping) for part in parts]
        if self.chunks.workers == 1:
            with threads(self.chunks.threads):
                done = [_last(chunk) for chunk in chunks]
        else:
            # Compile here, once: in the pool, the threads would wait for each other.
            _last(self._chunk(parts[0], state, constants, start, (), stopping))
            done = self._in_turns(chunks, stopping)
        if len(done) == 1:
            return tree_unflatten(done[0], structure)  # type: ignore[no-any-return]
        return tree_unflatten([torch.cat(leaves) for leaves in zip(*done, strict=True)], structure)  # type: ignore[no-any-return]

    def _in_turns(self, chunks: Sequence[Iterator[list[Tensor]]], stopping: threading.Event) -> list[list[Tensor]]:
        """The final state of each chunk; threads take a chunk for a turn, so if one core is busy, others do more."""
        workers = pool(self.chunks.workers, self.chunks.threads)
        done: list[list[Tensor]] = [[] for _ in chunks]
        waiting = {workers.submit(next, chunk, None): at for at, chunk in enumerate(chunks)}
        try:
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    at, own = waiting.pop(future), future.result()
                    if own is not None:
                        done[at] = own
                        waiting[workers.submit(next, chunks[at], None)] = at
        finally:
            stopping.set()
            for future in waiting:
                future.cancel()
            # No thread may still run when the caller goes on or starts again.
            wait(waiting)
        return done

    def _chunk(
        self,
        part: range,
        state: State,
        constants: Constants,
        start: int,
        indices: Sequence[Tensor],
        stopping: threading.Event,
    ) -> Iterator[list[Tensor]]:
        """The flat state of some replicas, after each turn of steps and after the last step."""
        filling = self.chunks.size - len(part) if self.name == "compiled" else 0
        own, fixed = (tree_flatten(_some(tree, part, filling))[0] for tree in (state, constants))
        noise, kept = self._noise(part, filling)
        step = self._ready(state, constants, own, fixed, noise.at(start))
        at = 0
        cuda = state.survived.is_cuda and self.name == "compiled"
        captured = self._graph(step, own, fixed, noise, start) if cuda else None
        while captured is not None and len(indices) - at >= STEPS:
            own = captured.run(own, fixed, noise.span(start + at, STEPS), indices[at])
            at += STEPS
        for index in indices[at:]:
            if stopping.is_set():
                break
            own = list(step(own, fixed, noise.at(start + at), index))
            at += 1
            # Without kept blocks a chunk runs in one turn: no more chunks than threads hold random blocks at a time.
            if kept and at % TURN == 0:
                yield [leaf[: len(part)] for leaf in own]
        del noise
        yield [leaf[: len(part)] for leaf in own]

    def _ready(
        self, state: State, constants: Constants, own: list[Tensor], fixed: list[Tensor], draws: Draws
    ) -> FlatStep:
        step = flat(self._step, state, constants)
        if self.name != "compiled":
            return step
        index = torch.zeros((), dtype=torch.long, device=state.survived.device)
        made, note = compiled(step, own, fixed, draws, index, shared=self._shared, threads=self.chunks.threads)
        self._add_note(note)
        return made

    def _graph(
        self, step: FlatStep, own: list[Tensor], fixed: list[Tensor], noise: RandomBlocks, start: int
    ) -> Captured | None:
        size = len(own[0])
        if size not in self._captured:
            try:
                self._captured[size] = Captured(step, own, fixed, noise.span(start, STEPS))
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self._captured[size] = None
                self._add_note(f"CUDA graphs could not be captured: {error_line(error)}")
        return self._captured[size]

    def _add_note(self, note: str) -> None:
        if note not in self.note:
            self.note = "; ".join(filter(None, (self.note, note)))

    def _noise(self, part: range, filling: int) -> tuple[RandomBlocks, bool]:
        """The random blocks of some replicas, and whether they are kept for the next run of steps."""
        if part not in self._noises:
            noise = self._noise_of(tuple(self._seeds[i] for i in (*part, *[part[-1]] * filling)))
            if noise.bytes * len(self.chunks.parts()) > KEPT_BYTES:
                return noise, False
            self._noises[part] = noise
        return self._noises[part], True

    def _serial(self, state: State, constants: Constants, start: int, stop: int, indices: Sequence[Tensor]) -> State:
        replicas = []
        for replica, seed in enumerate(self._seeds):
            own, fixed = of_replica(state, replica), of_replica(constants, replica)
            noise, _ = self._noise(range(replica, replica + 1), 0)
            # Code that still draws from a global generator finds it seeded for this seed and step.
            with isolated(seed, "global"):
                for step, index in zip(range(start, stop), indices, strict=True):
                    draws = tuple(draw[0] for draw in noise.at(step))
                    if self._reseeds:
                        reseed(seed, "global", step)
                    own = self._step(own, fixed, draws, index)
            replicas.append(own)
        stacked: State = tree_map(lambda *tensors: torch.stack(tensors), *replicas)
        return stacked


def _some(tree: Any, part: range, filling: int) -> Any:
    """The tensors of some replicas; the last one is repeated ``filling`` times, so that all chunks have one shape."""

    def take(tensor: Tensor) -> Tensor:
        own = tensor[part.start : part.stop]
        return torch.cat([own, own[-1:].expand(filling, *own.shape[1:])]) if filling else own

    return tree_map(take, tree)


def _last(turns: Iterator[list[Tensor]]) -> list[Tensor]:
    # Keeps one item at a time, since each is a whole state.
    return deque(turns, maxlen=1).pop()
