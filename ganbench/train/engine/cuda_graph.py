"""Several compiled steps as one CUDA graph: one launch, and no work for the CPU between the steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganbench.train.step.step import Draws, FlatStep

#: Steps in a graph: a divisor of the longest block of random numbers.
STEPS = 16


class Captured:
    """``STEPS`` steps of some replicas, captured once and replayed on the tensors that are copied into its inputs.

    A graph has fixed addresses: state, constants and draws are copied to where it reads them, and its result is copied
    from where it writes it; all on the device, without waiting for it. Raises RuntimeError where capture fails.
    """

    def __init__(self, step: FlatStep, state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws) -> None:
        self._state, self._constants, self._draws = (
            [tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors]
            for tensors in (state, constants, draws)
        )
        self._first = torch.zeros((), dtype=torch.long, device=state[0].device)
        here = torch.cuda.current_stream(state[0].device)
        # Restores the current stream, also where the capture fails.
        with torch.cuda.stream(here):
            self._capture(step, here)

    def _capture(self, step: FlatStep, here: torch.cuda.Stream) -> None:
        side = torch.cuda.Stream(self._first.device)  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):
            # Warm up: what a first call sets up, such as cuBLAS's workspace, cannot be captured.
            self._steps(step, 2)
        here.wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # On the same stream: torch's own stream for captures belongs to the device that was used first.
        with torch.cuda.graph(self._graph, stream=side):
            self._result = self._steps(step, STEPS)

    def run(self, state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, first: Tensor) -> list[Tensor]:
        """Run ``STEPS`` steps.

        Args:
            state: the state before, flat, each (replicas, ...)
            constants: the constants, flat, each (replicas, ...)
            draws: the draws of all these steps, each (STEPS, replicas, ...)
            first: the index of the first step, a scalar

        Returns:
            The state after the steps, flat.
        """
        inputs = [*self._state, *self._constants, *self._draws, self._first]
        torch._foreach_copy_(inputs, [*state, *constants, *draws, first])
        self._graph.replay()
        return [tensor.clone() for tensor in self._result]

    def _steps(self, step: FlatStep, count: int) -> list[Tensor]:
        state = list(self._state)
        for k in range(count):
            state = list(step(state, self._constants, tuple(draw[k] for draw in self._draws), self._first + k))
        return state
