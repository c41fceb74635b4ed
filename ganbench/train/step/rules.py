"""The rules of a game, which stay the same from step to step: networks, losses, penalties and optimisers, bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.types import Loss, Optimizer, Penalty, Schedule
from ganbench.suite.choice import Choice
from ganbench.train.step.average import RunningAverage
from ganbench.train.step.check import check_factor
from ganbench.train.step.flat_network import FlatNetwork

#: So many generator steps of a budget are looked at before training.
LOOKED_AT = 200
#: A schedule that is never above this is most often a rate, and no factor of one.
SMALL = 0.05
PlayerName = Literal["discriminator", "generator"]
BoundOptimizer = BoundFunction[tuple[Tensor, tuple[Tensor, ...]]]


@dataclass(frozen=True)
class BoundPenalty:
    """A penalty's functions, by name, with its parameters; ``every``: it is added at each step divisible by this."""

    name: str
    functions: Mapping[str, BoundFunction[Any]]
    memory: tuple[float, ...]
    every: int


@dataclass(frozen=True)
class BoundSchedule:
    """What a number is multiplied by at each generator step.

    ``part``: the part of the variant, as in ``Variant.parts()``, whose ``parameter`` it multiplies; ``number``: that
    parameter as the suite sets it. ``steps``: how many generator steps there are.
    """

    name: str
    part: str
    parameter: str
    number: float
    factor: BoundFunction[Tensor | float]
    steps: int


@dataclass(frozen=True)
class Rules:
    """What stays the same from step to step.

    ``project``: maps D's parameters after each of D's steps; None: they stay. ``judges``: whether D gives one logit for
    each single sample. ``average``: the running average of G's parameters; None: no average. ``classes``: of the labels
    that are drawn with the data; 0: none are. ``conditional``: whether both networks take labels.
    """

    discriminator: FlatNetwork
    generator: FlatNetwork
    discriminator_loss: BoundFunction[Tensor]
    generator_loss: BoundFunction[Tensor]
    discriminator_optimizer: BoundOptimizer
    generator_optimizer: BoundOptimizer
    batch: int
    shape: tuple[int, ...]
    latent: tuple[int, ...]
    latent_kind: str
    parts: tuple[tuple[str, PlayerName], ...] = ()
    project: BoundFunction[Tensor] | None = None
    penalties: tuple[BoundPenalty, ...] = ()
    schedules: tuple[BoundSchedule, ...] = ()
    average: RunningAverage | None = None
    judges: bool = True
    classes: int = 0
    conditional: bool = False

    def loss(self, player: PlayerName) -> BoundFunction[Tensor]:
        """The loss that one player minimises, without penalties."""
        return self.discriminator_loss if player == "discriminator" else self.generator_loss


def bind_loss(loss: Loss, parameters: Mapping[str, Any]) -> tuple[BoundFunction[Tensor], BoundFunction[Tensor]]:
    """The two functions of a loss with their parameters: (discriminator's, generator's)."""
    return bind(loss.discriminator, parameters), bind(loss.generator, parameters)


def bind_penalty(penalty: Penalty, choice: Choice) -> BoundPenalty:
    """A penalty with the parameters that a suite chose."""
    named = {name: getattr(penalty, name) for name in KINDS["penalty"].given}
    functions = {name: bind(function, choice.parameters) for name, function in named.items() if function}
    return BoundPenalty(choice.name, functions, penalty.memory, choice.parameters.get("every", 1))


def bind_schedules(parts: Mapping[str, Choice], steps: int) -> tuple[BoundSchedule, ...]:
    """The schedules of a variant with the parameters that a suite chose.

    Args:
        parts: the variant's choices, as in ``Variant.parts()``
        steps: how many generator steps there are

    Returns:
        A schedule for each part that has one.
    """
    found = []
    for part, owner in parts.items():
        if (choice := owner.schedule) and (parameter := owner.entry.scheduled):
            factor = bind(choice.plugin(Schedule).factor, choice.parameters)
            found.append(BoundSchedule(choice.name, part, parameter, owner.parameters[parameter], factor, steps))
    return tuple(found)


def check_schedules(schedules: Iterable[BoundSchedule]) -> None:
    """Raise PluginError where a schedule is no finite number of at least 0: a negative rate goes uphill.

    Of a long budget ``LOOKED_AT`` steps are looked at, the first and the last among them.
    """
    for schedule in schedules:
        for step in looked_at(schedule.steps):
            at = torch.tensor(float(step), dtype=torch.float64)
            given = schedule.factor({"step": at, "steps": schedule.steps})
            value = float(check_factor(given, schedule.name, schedule.factor.where))
            if not 0 <= value < math.inf:
                where = f"generator step {step} of {schedule.steps}"
                raise PluginError(
                    f"schedule {schedule.name}'s factor() is {value:.4g} at {where}, for the {schedule.parameter!r} of "
                    f"{schedule.part}: it must return a finite number of at least 0 at every step"
                )


def schedule_notes(schedules: Iterable[BoundSchedule]) -> list[str]:
    """Notes on schedules of a rate that are small at every step: such a one gives the rate itself, and no factor."""
    found = []
    for schedule in schedules:
        if not schedule.part.endswith("optimizer"):
            continue  # a penalty may well be that small
        steps = (torch.tensor(float(step), dtype=torch.float64) for step in looked_at(schedule.steps))
        most = max(float(schedule.factor({"step": at, "steps": schedule.steps})) for at in steps)
        if most <= SMALL:
            found.append(
                f"schedule {schedule.name}'s factor() is at most {most:.2g} in all {schedule.steps} steps, and the "
                f"{schedule.parameter!r} of {schedule.part} is multiplied by it: return a factor, 1 for the whole "
                "rate, and not the rate itself"
            )
    return found


def looked_at(steps: int) -> Iterator[int]:
    """The generator steps of a budget at which a schedule is looked at."""
    yield from range(0, steps - 1, max(1, steps // LOOKED_AT))
    yield steps - 1


def bind_optimizer(optimizer: Optimizer, parameters: Mapping[str, Any]) -> BoundOptimizer:
    """An optimiser's update with its parameters; the parameter ``clip`` limits the gradient's norm."""
    update = bind(optimizer.update, parameters)
    if parameters.get("clip") is None:
        return update

    def clipped(gradient: Tensor, *given: Any, clip: Any, **own: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        # As torch's clip_grad_norm_ does, for this model's parameters alone.
        scale = (clip / (gradient.square().sum().sqrt() + 1e-6)).clamp(max=1.0).to(gradient.dtype)
        scope = {**dict(zip(update.names, given, strict=True)), "gradient": gradient * scale}
        return optimizer.update(*[scope[name] for name in update.names], **own)

    names, own = ("gradient", *update.names), {**update.parameters, "clip": parameters["clip"]}
    return BoundFunction(clipped, names, own, optimizer.update)
