"""Properties of a training step with any kind of plugin in it: batched, alone, recorded, compiled."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Update
from ganbench.suite.plan import Cell
from ganbench.testing import architectures, schedules
from ganbench.testing.checked_cell import BATCH, CHECK, CPU, cell_of, variant_of
from ganbench.testing.purity import global_rng_untouched
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.engine.graph import record
from ganbench.train.step.game import functional_gradient
from ganbench.train.step.step import State, batch, flat, one_step
from ganbench.train.trainer import Trainer

STEPS = 5
SEEDS = (0, 1, 2)
#: Chaos has not begun yet after so few steps: what differs is rounding of float32.
SAME = 1e-5


@lru_cache(maxsize=8)
def trainer(subject: Subject, seeds: tuple[int, ...], engine: str = "eager") -> Trainer:
    """A trainer of the plugin in a small game.

    Args:
        subject: the plugin under test.
        seeds: the seeds that train together.
        engine: how the step runs, as for ``Trainer``.

    Returns:
        The trainer, ready to train.
    """
    return Trainer([cell(subject, seeds)], CPU, engine)


def cell(subject: Subject, seeds: tuple[int, ...]) -> Cell:
    """The small game that a plugin is trained in."""
    registry, data = subject.registry, None
    if subject.entry.kind == "architecture" and (shape := architectures.shape_of(subject)) != (2,):
        made = architectures.noise(shape)
        registry, data = replace(registry, entries=(*registry.entries, made)), made.name
    # Adam would blow rounding up to whole steps, where a gradient is exactly zero but for that.
    variant = {"optimizer": CHECK["optimizer"]} | variant_of(subject)
    if subject.entry.kind == "optimizer":
        variant["architecture"] = CHECK["layers"]
    steps = schedules.budget(subject) if subject.entry.kind == "schedule" else 100
    budget = {"steps": steps, "batch": BATCH}
    return cell_of(variant, registry, data=data, seeds=list(seeds), budget=budget)


def trains(subject: Subject) -> None:
    """After some steps all parameters are finite, both players have moved, and a run would say nothing of them."""
    it = trainer(subject, SEEDS)
    if it.probe.idle:
        raise WrongError(f"the {it.probe.idle[0]}'s gradient is exactly zero at the first step")
    if it.remarks:
        raise WrongError("; ".join(it.remarks))
    with global_rng_untouched():
        done = it.advance(it.start, 0, STEPS)
    if (done.survived < STEPS).any():
        raise WrongError(f"is not finite after {int(done.survived.min())} steps")
    for name, before, after in zip(("discriminator", "generator"), it.start.players, done.players, strict=True):
        # The trainer has looked at more steps.
        if torch.equal(before.theta, after.theta) and name in it.probe.unmoved:
            raise WrongError(f"the {name} has not moved after {STEPS} steps")


def batched(subject: Subject) -> None:
    """All seeds train at once."""
    if why := trainer(subject, SEEDS).probe.serial:
        raise NotApplicableError(f"trains seed by seed: {why}")


def alone(subject: Subject) -> None:
    """A seed trains alone as it does among others."""
    together, single = (trainer(subject, seeds) for seeds in (SEEDS, SEEDS[1:2]))
    a, b = (each.advance(each.start, 0, STEPS) for each in (together, single))
    _same(_thetas(a, 1), _thetas(b, 0), "a seed alone is another one than among others")


def by_hand(subject: Subject) -> None:
    """Batched, it trains as plain PyTorch does one seed after another."""
    _batches(subject)
    together, plain = (trainer(subject, SEEDS[:2], engine) for engine in ("eager", "serial"))
    a, b = (each.advance(each.start, 0, STEPS) for each in (together, plain))
    for seed in (0, 1):
        _same(_thetas(a, seed), _thetas(b, seed), "batched it trains otherwise than seed by seed")


def compiled(subject: Subject) -> str:
    """A step recorded as a graph, as a compiler gets it, gives the same; with ``compile`` it is really compiled."""
    eager = _batches(subject)
    if subject.compile:
        other = trainer(subject, SEEDS, "compiled")
        other.prepare()
        done, how = other.advance(other.start, 0, STEPS), "compiled"
    else:
        done, how = _recorded(eager, subject), "as recorded for the compiler"
    plain = eager.advance(eager.start, 0, STEPS)
    for seed in range(len(SEEDS)):
        _same(_thetas(plain, seed), _thetas(done, seed), f"{how} it trains otherwise than eager")
    return "compiled" if subject.compile else "recorded; --compile really compiles"


PROPERTIES = (
    Property("trains", trains, everywhere=False),
    Property("all seeds as one batch", batched, everywhere=False),
    Property("a seed alone = in a batch", alone, everywhere=False),
    Property("batched = plain PyTorch", by_hand, everywhere=False),
    Property("compiled = eager", compiled, everywhere=False),
)


def _batches(subject: Subject) -> Trainer:
    it = trainer(subject, SEEDS)
    if it.probe.serial:
        raise NotApplicableError("trains seed by seed")
    return it


def _recorded(it: Trainer, subject: Subject) -> State:
    step = batch(step_of(it, subject))
    state, (fixed, _) = it.start, tree_flatten(it.constants)
    own, structure = tree_flatten(state)
    noise = it.noise(SEEDS)
    laid = flat(step, state, it.constants)
    ends = len(own), len(own) + len(fixed)

    def whole(*tensors: Tensor) -> Any:
        return laid(tensors[: ends[0]], tensors[ends[0] : ends[1]], tensors[ends[1] : -1], tensors[-1])

    try:
        graph = record(whole, [*own, *fixed, *noise.at(0), torch.tensor(0)], cpu=True)
    except BaseException as error:
        raise_if_stopped(error)
        raise WrongError(f"cannot be recorded: {plain_words(error)}") from error
    for index in range(STEPS):
        own = list(graph(*own, *fixed, *noise.at(index), torch.tensor(index)))
    done: State = torch.utils._pytree.tree_unflatten(own, structure)
    return done


def step_of(it: Trainer, subject: Subject) -> Any:
    """The step of one model of a trainer."""
    variant = it.cell.trained
    assert variant is not None
    update = bind(variant.update.plugin(Update).step, variant.update.parameters)
    return one_step(it.rules, update, functional_gradient, global_rng=it.probe.global_rng)


def _thetas(state: State, replica: int) -> Tensor:
    return torch.cat([player.theta[replica] for player in state.players])


def _same(one: Tensor, other: Tensor, message: str) -> None:
    apart = (one - other).abs().max().item()
    if not apart <= SAME * (1 + one.abs().max().item()):
        raise WrongError(f"{message}: parameters {apart:.2g} apart after {STEPS} steps")
