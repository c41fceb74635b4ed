"""The peers of a case: ganbench's engines, the plain loop, JAX where it is installed, and the limit."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from cases import Case
from interleaved import Peer
from matmul_limit import best_square, limits
from plain_loop import PlainLoop

from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import Cell, plan
from ganbench.train.step.draws import BLOCK_STEPS
from ganbench.train.trainer import Trainer


class AbsentError(Exception):
    """A peer that cannot run here, and why."""


def cell_of(case: Case, registry: Registry) -> Cell:
    return next(cell for cell in plan(parse(case.suite(), registry)) if cell.trained)


def plain(case: Case, device: torch.device) -> Peer:
    loop = PlainLoop(case, device)

    def run(steps: int) -> None:
        for _ in range(steps):
            loop.step()
        _wait(device)

    return Peer("plain", run, 1)


def engine(case: Case, device: torch.device, name: str, registry: Registry) -> Peer:
    cell = cell_of(case, registry)
    trainer = Trainer([cell], device, name)
    trainer.prepare()
    assert trainer.engine == name, trainer.note
    state, at = trainer.start, 0

    def run(steps: int) -> None:
        nonlocal state, at
        state, at = trainer.advance(state, at, at + steps), at + steps
        _wait(device)

    return Peer(name, run, case.seeds, BLOCK_STEPS)


def jax(case: Case, device: torch.device, registry: Registry) -> Peer:
    """From the engines' own parameters. Raises AbsentError where JAX is not installed, or has no such device."""
    try:
        from jax_loop import JaxLoop
    except ModuleNotFoundError as error:
        raise AbsentError(f"no JAX: {error}; pip install -e '.[peers]'") from error
    cell = cell_of(case, registry)
    at_start = Trainer([cell], torch.device("cpu"), "eager").start.players
    theta = (at_start.D.theta.numpy(), at_start.G.theta.numpy())
    try:
        loop = JaxLoop(case, *theta, device)
    except RuntimeError as error:
        raise AbsentError(
            f"JAX has no {device.type} device here, and jax[cuda12] or jax[cuda13] would: {error}"
        ) from error
    return Peer("jax", loop.run, case.seeds, device=f"{loop.device.device_kind} ({loop.device})")


def peers(case: Case, device: torch.device, registry: Registry, *, dry: bool) -> Iterator[Peer | AbsentError]:
    """All of them, in the order of their turns; a dry run compiles nothing of torch's and multiplies small matrices."""
    yield plain(case, device)
    try:
        yield jax(case, device, registry)
    except AbsentError as error:
        yield error
    yield engine(case, device, "eager", registry)
    if not dry:
        yield engine(case, device, "compiled", registry)
    yield from limits(case, device, 64 if dry else best_square(device))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
