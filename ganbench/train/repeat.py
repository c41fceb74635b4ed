"""The same step, made again before training: it must change nothing but its result, and have the same result."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganbench.core.errors import PluginError
from ganbench.core.rng import isolated
from ganbench.core.unseeded import unseeded_calls
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.types import Players
from ganbench.train.hidden_state import HiddenState, Variable
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Draws, State

#: On a GPU sums may be added up in another order each time: so much of a step may differ.
ROUNDING = 0.01
_CURE = "it must depend on its arguments alone: take `random`, `step`, a penalty's `memory`, an optimizer's `state`"
_OF_NETWORK = "what changes with the step belongs in a loss, or in a penalty's `inputs`, which take `step`"
_SEEDED = "no seed decides those: take `random` (in a network: torch.randn, nn.Dropout)"


def hidden_state(rules: Rules, update: BoundFunction[Players]) -> HiddenState:
    """What the functions and networks of a game could remember something in."""
    bound: list[BoundFunction[Any] | None] = [rules.discriminator_loss, rules.generator_loss, rules.project, update]
    bound += [rules.discriminator_optimizer, rules.generator_optimizer]
    bound += [function for penalty in rules.penalties for function in penalty.functions.values()]
    bound += [schedule.factor for schedule in rules.schedules]
    networks = {"discriminator": rules.discriminator.module, "generator": rules.generator.module}
    return HiddenState([each.function for each in bound if each], networks)


def check_repeats(step: Callable[[Draws], State], start: State, draws: Sequence[Draws], watched: HiddenState) -> str:
    """Make a step that was made before again, twice, with another one between.

    Args:
        step: one step of one model from one state, given the step's draws
        start: that state
        draws: those of the step, and those of the one between
        watched: what must stay as it is

    Returns:
        A note on what the step's code does that may make its numbers differ; empty where it does no such thing.

    Raises:
        PluginError: where the step's result is another one each time, or the step changes a variable of its own
    """

    def made(own: Draws, which: int = 0) -> list[Tensor]:
        with isolated(which, "probe.global"):
            return tree_leaves(step(own))

    before = watched.look()
    try:
        first = made(draws[0])
        refuse_changes(watched, before)
        made(draws[1], 1)
        with unseeded_calls(watched.modules) as calls:
            second = made(draws[0])
    except PluginError:
        raise
    except Exception:
        # Where the step's code remembers something, that is the likeliest cause.
        refuse_changes(watched, before)
        raise
    refuse_changes(watched, before)
    if "random" in calls:
        raise PluginError(f"a step draws random numbers without a seed, and {_SEEDED} ({calls['random']})")
    if not all(map(_same, tree_leaves(start), first, second)):
        if "clock" in calls:
            raise PluginError(f"a step depends on the clock, and {_CURE} ({calls['clock']})")
        raise PluginError(
            "the same step gives other numbers each time: it remembers something, or draws random numbers without a "
            f"seed, and {_CURE}"
        )
    if "clock" in calls:
        return f"a step reads the clock: what depends on that is not the same in every run ({calls['clock']})"
    return ""


def refuse_changes(watched: HiddenState, before: Mapping[Variable, Hashable]) -> None:
    """Raise PluginError where a variable is not as it was ``before``: steps have changed it."""
    if changed := watched.changed(before):
        variable, place = changed
        if variable.of_network:
            raise PluginError(
                f"each call changes {variable.name}, and a network must not remember: {_OF_NETWORK}{place}"
            )
        raise PluginError(f"a step changes {variable.name!r}, and a step must not remember: {_CURE}{place}")


def _same(begin: Tensor, one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same: on a CPU to the bit."""
    one, other = one.double().nan_to_num(), other.double().nan_to_num()
    if one.device.type == "cpu":
        return torch.equal(one, other)
    return bool((one - other).norm() <= ROUNDING * (one - begin.double()).norm())
