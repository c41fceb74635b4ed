"""What the training of a cell costs: how fast its engines are, and what a few steps of all its replicas take."""

from __future__ import annotations

import torch
from torch.utils._pytree import tree_map

from ganbench.train.engine.cost import CellCost, Compilations, PeakMemory, StepCost, kernels
from ganbench.train.engine.cuda_graph import STEPS
from ganbench.train.engine.engine import Engine
from ganbench.train.engine.speed import CellSpeed, Speed, measure_speed
from ganbench.train.step.step import Constants, State


def cell_speed(engine: Engine, alone: Engine, start: State, constants: Constants, device: torch.device) -> CellSpeed:
    """Measure the step throughput.

    Args:
        engine: of all replicas
        alone: of the first replica
        start: the state of all replicas before training, which is not changed
        constants: what stays as it is in training, of all replicas
        device: where they train

    Returns:
        The speed of all replicas together, and of the first alone.
    """
    one, fixed = tree_map(lambda tensor: tensor[:1], (start, constants))
    return CellSpeed(together=_speed(engine, start, constants, device), one=_speed(alone, one, fixed, device))


def _speed(engine: Engine, state: State, constants: Constants, device: torch.device) -> Speed:
    def run(begin: int, end: int) -> None:
        nonlocal state
        state = engine.run(state, constants, begin, end)

    return measure_speed(run, engine.block, len(state.survived), device)


def cell_cost(
    engine: Engine, start: State, constants: Constants, step: StepCost, before: Compilations, device: torch.device
) -> CellCost:
    """The cost of a step that does not depend on a clock, and the memory that a few steps of all replicas take.

    Args:
        engine: of all replicas
        start: their state before training, which is not changed
        constants: what stays as it is in training
        step: the cost of a step of one model
        before: what had been compiled before the first step was tried: torch stops compiling a function that it had to
            compile anew in a few steps
        device: where they train

    Returns:
        The cost.
    """

    def run(steps: int) -> None:
        engine.run(start, constants, 0, steps)

    with PeakMemory(device) as memory:
        run(2)
    launched = kernels(lambda: run(STEPS), device)
    since = Compilations.now().since(before)
    return CellCost(
        step=step,
        kernels=None if launched is None else launched / STEPS,
        graph_breaks=since.graph_breaks,
        recompilations=since.recompilations,
        peak_memory=memory.peak,
        seeds=len(start.survived),
    )
