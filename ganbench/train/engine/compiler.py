"""A step compiled whole, both players' updates, penalties and optimisers: traced once as it ran, then one kernel call.

The step is recorded operation by operation while it runs on example tensors (see ``graph``), so that any code that can
be batched can be compiled, and is then compiled ahead of time by inductor, which keeps what it made on disk. Unlike
``torch.compile`` nothing is left to check at each call, and on a CPU the call is one C++ function that lets other
threads go on meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ganbench.train.engine.graph import lowered, record
from ganbench.train.step.step import Draws, FlatStep

#: Steps that stay compiled: more than a suite has for one dataset, since the next dataset has the same ones.
KEPT = 64
_COMPILED: dict[tuple[Any, ...], Callable[..., Sequence[Tensor]]] = {}
_ONE_AT_A_TIME = threading.Lock()


def compiled(
    step: FlatStep,
    state: Sequence[Tensor],
    constants: Sequence[Tensor],
    draws: Draws,
    index: Tensor,
    *,
    shared: str,
    threads: int,
) -> FlatStep:
    """The step for tensors of these shapes, compiled once for all that ``shared`` says is the same.

    threads: how many threads a call may use on a CPU.
    """
    example = [*state, *constants, *draws, index]
    key = (shared, threads, str(index.device), *((tuple(tensor.shape), tensor.dtype) for tensor in example))
    with _ONE_AT_A_TIME:
        made = _COMPILED.pop(key, None)
        if made is None:
            ends = (len(state), len(state) + len(constants))
            made = _compile(step, example, ends, threads)
        # In the order in which they were last asked for.
        _COMPILED[key] = made
        if len(_COMPILED) > KEPT:
            del _COMPILED[next(iter(_COMPILED))]

    def call(state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, index: Tensor) -> Sequence[Tensor]:
        return made(*state, *constants, *draws, index)

    return call


def _compile(
    step: FlatStep, example: Sequence[Tensor], ends: tuple[int, int], threads: int
) -> Callable[..., Sequence[Tensor]]:
    # It takes seconds to import.
    from torch._inductor import standalone_compile

    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

    def recorded(*tensors: Tensor) -> Sequence[Tensor]:
        moved = step(tensors[: ends[0]], tensors[ends[0] : ends[1]], tensors[ends[1] : -1], tensors[-1])
        # What is compiled is compiled for its inputs' strides, and what one step gives the next one takes.
        return [tensor.contiguous() for tensor in moved]

    # Where in memory they happen to lie is nothing that the next process should have to match.
    inputs: list[Any] = [tensor.clone(memory_format=torch.contiguous_format) for tensor in example]
    cpu = not example[0].is_cuda
    # On a CPU the whole step is one C++ function, called without Python's lock.
    options = {"cpp_wrapper": True, "cpp.threads": threads} if cpu else {}
    with lowered():
        made: Callable[..., Sequence[Tensor]] = standalone_compile(
            record(recorded, inputs, cpu=cpu),
            inputs,
            dynamic_shapes="from_example_inputs",
            options={"config_patches": options},
        )
    return made
