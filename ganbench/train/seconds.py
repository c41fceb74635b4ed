"""How long a step takes, measured before training: of all seeds as a batch, and of one."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from torch.utils._pytree import tree_map

from ganbench.core.errors import out_of_memory
from ganbench.train.step.step import Constants, Draws, State, Step

#: The steps that are timed, and the most replicas that they are timed with.
TIMED_STEPS = 3
TIMED_REPLICAS = 8


def eager_seconds(
    step: Step, state: State, constants: Constants, drawn: Draws, index: torch.Tensor, replicas: int
) -> float:
    """Seconds of a step of so many replicas, extrapolated from a few; from half as many where memory runs out.

    Args:
        step: the step of a batch of replicas
        state: the state of replicas, of which all that are timed are as the first
        constants: their buffers and swept values
        drawn: the random numbers of one replica's step
        index: the number of the step
        replicas: how many

    Returns:
        The seconds.
    """
    seconds = partial(_seconds, step, state, constants, drawn, index)
    few = min(replicas, TIMED_REPLICAS)
    while True:
        try:
            found = seconds(few)
            break
        except Exception as error:
            if few == 1 or not out_of_memory(error):
                raise
        few //= 2
    # Some of the time does not depend on the number of replicas.
    alone = seconds(1) if 1 < few < replicas else 0.0
    return found + max(0.0, found - alone) * (replicas - few) / max(1, few - 1)


def _seconds(
    step: Callable[..., State], state: State, constants: Constants, drawn: Draws, index: torch.Tensor, replicas: int
) -> float:
    """Seconds of a step of so many replicas."""
    first, fixed = tree_map(lambda tensor: torch.stack([tensor[0]] * replicas), (state, constants))
    draws = tuple(torch.stack([tensor] * replicas) for tensor in drawn)
    return least_seconds(partial(step, first, fixed, draws, index), index.device)


def least_seconds(step: Callable[[], State], device: torch.device) -> float:
    """Seconds of a step: the least of ``TIMED_STEPS`` steps, after one to warm up."""
    found = []
    for _ in range(1 + TIMED_STEPS):
        begin = _clock(device)
        step()
        found.append(_clock(device) - begin)
    return min(found[1:])


def _clock(device: torch.device) -> float:
    """On a CPU the seconds that this thread has run, since other programs may be running too; on a GPU the clock's."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.thread_time()
