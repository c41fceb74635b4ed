"""Several compiled steps as one CUDA graph: launched at once, with nothing for the processor to do in between."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganbench.train.step.step import Draws, FlatStep

#: Steps in a graph: a divisor of the longest block of random numbers.
STEPS = 16


class Captured:
    """``STEPS`` steps of some replicas, captured once and replayed on whatever is copied into its inputs.

    A graph knows only addresses: state, constants and draws are copied to where it reads them, and its result from
    where it leaves it; all on the device, without waiting for it. Raises RuntimeError where capture fails.
    """

    def __init__(self, step: FlatStep, state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws) -> None:
        self._state, self._constants, self._draws = (
            [tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors]
            for tensors in (state, constants, draws)
        )
        self._first = torch.zeros((), dtype=torch.long, device=state[0].device)
        here = torch.cuda.current_stream(state[0].device)
        # A capture that fails must not leave its own stream the current one.
        with torch.cuda.stream(here):
            self._capture(step, here)

    def _capture(self, step: FlatStep, here: torch.cuda.Stream) -> None:
        side = torch.cuda.Stream(self._first.device)  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):
            # What is set up at a first call, such as cuBLAS's workspace, cannot be captured.
            self._steps(step, 2)
        here.wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # On that stream, too: torch's own for captures is of whatever device was used first.
        with torch.cuda.graph(self._graph, stream=side):
            self._result = self._steps(step, STEPS)

    def run(self, state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, first: Tensor) -> list[Tensor]:
        """The state after ``STEPS`` steps from index ``first`` on; draws: each (STEPS, replicas, ...)."""
        inputs = [*self._state, *self._constants, *self._draws, self._first]
        torch._foreach_copy_(inputs, [*state, *constants, *draws, first])
        self._graph.replay()
        return [tensor.clone() for tensor in self._result]

    def _steps(self, step: FlatStep, count: int) -> list[Tensor]:
        state = list(self._state)
        for k in range(count):
            state = list(step(state, self._constants, tuple(draw[k] for draw in self._draws), self._first + k))
        return state
