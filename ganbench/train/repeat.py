"""The same step, made again before training: it must change nothing but its result, and have the same result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ganbench.core.errors import PluginError
from ganbench.core.rng import isolated
from ganbench.core.unseeded import unseeded_calls
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.fixed_order import fixed_order
from ganbench.train.hidden_state import HiddenState, Variable
from ganbench.train.in_place import Unchanged
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Draws, State

#: On a GPU sums may be added up in another order each time: a number of a step may differ by this share of its change.
ROUNDING = 1e-3
#: And this share of the numbers by more: a gradient that is 0 but for rounding has another sign each time, and an
#: optimiser such as Adam makes a whole step of it.
NOISE = 0.1
_CURE = "it must depend on its arguments alone: take `random`, `step`, a penalty's `memory`, an optimizer's `state`"
_TENSORS = (
    "; a memory holds numbers, so earlier samples or weights cannot be kept; an average of G's weights is the suite's "
    "key, average: 0.999"
)
_LOG = "; leave a log out, the tables have each evaluation"
_NORM = "a normalisation layer in training mode counts: call its .eval() where it is made"
_TRAINED = "a network that is trained with the players is made by the loss's players= and named in its parts="
_OF_NETWORK = "what changes with the step belongs in a loss, or in a penalty's `inputs`, which take `step`"
#: What is said of a step that changes what it was given: samples of the data, latents, random numbers.
IN_PLACE_DRAW = (
    "a step changes in place what it was given, samples, latents or random numbers, and the next function is given "
    "them changed: write real = real * 0.5 for real *= 0.5, and x + 1 for x.add_(1) or x.data.add_(1)"
)
_SEEDED = "no seed decides those: take `random` (in a network: torch.randn, nn.Dropout)"


def hidden_state(rules: Rules, update: BoundFunction[Players]) -> HiddenState:
    """What the functions and networks of a game could remember something in."""
    bound: list[BoundFunction[Any] | None] = [rules.discriminator_loss, rules.generator_loss, rules.project, update]
    bound += [rules.discriminator_optimizer, rules.generator_optimizer]
    bound += [function for penalty in rules.penalties for function in penalty.functions.values()]
    bound += [schedule.factor for schedule in rules.schedules]
    networks = {"discriminator": rules.discriminator.module, "generator": rules.generator.module}
    return HiddenState([each.function for each in bound if each], networks)


def check_repeats(
    step: Callable[[State, Draws], State], start: State, draws: Sequence[Draws], watched: HiddenState
) -> str:
    """Make a step that was made before again, twice, with another one between, from the state that it leads to.

    Args:
        step: one step of one model, given its state and the step's draws
        start: the state before the first step
        draws: those of the step, and those of the one between
        watched: what must stay as it is

    Returns:
        A note on what the step's code does that may make its numbers differ; empty where it does no such thing.

    Raises:
        PluginError: where the step's result is another one each time, or the step changes a variable of its own
    """

    def made(state: State, own: Draws, which: int = 0) -> State:
        with isolated(which, "probe.global"):
            return step(state, own)

    device = tree_leaves(start)[0].device
    with fixed_order(device) as without:
        if device.type != "cpu":
            made(start, draws[0])  # what a network keeps of it is computed in this order, too
        exact = not without
        before = watched.look(exact)
        drawn = [tensor.clone() for tensor in draws[0]]
        try:
            first = made(start, draws[0])
            refuse_changes(watched, before, exact)
            if not all(map(torch.equal, draws[0], drawn)):
                raise PluginError(IN_PLACE_DRAW + _changed_at(lambda: made(start, draws[0]), draws[0]))
            made(first, draws[1], 1)
            with unseeded_calls(watched.modules) as calls:
                second = made(start, draws[0])
        except PluginError:
            raise
        except Exception:
            # Where the step's code remembers something, that is the likeliest cause.
            refuse_changes(watched, before, exact)
            raise
        refuse_changes(watched, before, exact)
    if "random" in calls:
        raise PluginError(f"a step draws random numbers without a seed, and {_SEEDED} ({calls['random']})")
    if not all(map(_same, *map(tree_leaves, (start, first, second)))):
        if "clock" in calls:
            raise PluginError(f"a step depends on the clock, and {_CURE} ({calls['clock']})")
        # What a variable holds of a step is looked at only here: it may be looked at by somebody, and not be used.
        before = watched.look(exact, tensors=True)
        made(first, draws[1], 1)
        refuse_changes(watched, before, exact, tensors=True)
        raise PluginError(
            "the same step gives other numbers each time: it remembers something, or draws random numbers without a "
            f"seed, and {_CURE}"
        )
    if "clock" in calls:
        return f"a step reads the clock: what depends on that is not the same in every run ({calls['clock']})"
    return ""


def _changed_at(again: Callable[[], State], draws: Draws) -> str:
    """The user's own line that changes a draw of a step in place: `` (mine.py:12)``; empty where none is found."""
    with Unchanged(draws) as watch, suppress(Exception):
        again()
    return f" ({watch.line})" if watch.line else ""


def refuse_changes(
    watched: HiddenState, before: Mapping[Variable, Hashable], exact: bool = True, *, tensors: bool = False
) -> None:
    """Refuse that steps have changed a variable.

    Args:
        watched: the variables
        before: what they were
        exact: whether the numbers on a GPU are looked at, too
        tensors: whether those are looked at that a step has left in a variable

    Raises:
        PluginError: where a variable is not as it was, with its name, its place and what to write instead
    """
    if changed := watched.changed(before, exact, tensors=tensors):
        variable, value, place = changed
        if variable.of_network:
            raise PluginError(
                f"each call changes {variable.name}, and a network must not remember: {_OF_NETWORK}{place}"
            )
        raise PluginError(
            f"a step changes {variable.name!r}, and a step must not remember: {_cure(variable, value)}{place}"
        )


def _cure(variable: Variable, value: Any) -> str:
    """What to write in place of a variable that a step changes, by what it holds."""
    if isinstance(value, nn.Module) and not variable.of_function:
        norms = any(getattr(each, "track_running_stats", False) and each.training for each in value.modules())
        return _NORM if norms else _TRAINED
    if isinstance(value, torch.optim.Optimizer):
        return _TRAINED
    held = list(value.values() if isinstance(value, dict) else value) if isinstance(value, dict | list | deque) else []
    if held and all(isinstance(one, float | str) for one in held):
        return _CURE + _LOG
    inside = [*held, *getattr(value, "__dict__", {}).values()]
    more = any(isinstance(one, Tensor) and one.dim() for one in (value, *inside))
    return _CURE + (_TENSORS if more or any(isinstance(one, list | deque) for one in inside) else "")


def _same(begin: Tensor, one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same: on a CPU to the bit."""
    begin, one, other = (each.double().nan_to_num() for each in (begin, one, other))
    return torch.equal(one, other) if one.device.type == "cpu" else same_but_for_rounding(begin, one, other)


def same_but_for_rounding(begin: Tensor, one: Tensor, other: Tensor) -> bool:
    """Whether two results of a step are the same but for the order in which a GPU has added up.

    Args:
        begin: the numbers before the step
        one: after it
        other: after it, made again

    Returns:
        Whether no more than the share NOISE of the numbers differ by more than the share ROUNDING of their change.
    """
    change = torch.maximum((one - begin).abs(), (other - begin).abs())
    return bool(((one - other).abs() > ROUNDING * change).sum() <= NOISE * one.numel())
