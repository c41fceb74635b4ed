"""The first step of a seed alone and of the same seed in a batch: where they differ, code tells the two apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.core.place import place
from ganbench.core.plain_words import plain_words
from ganbench.core.rng import isolated, stream
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.engine.trace import trace
from ganbench.train.hidden_state import HiddenState
from ganbench.train.movement import PLAYERS
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.game import Gradient, StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Constants, Draws, State, of_replica
from ganbench.train.step.swept_values import with_values
from ganbench.train.why import refuse_changed_in_place

#: Two results of a step are the same where they differ by no more than this share: rounding is mostly below, and else
#: known by what it does to a seed alone (1e-5 of a ResNet in float32).
SHARE = 0.003
#: And what is smaller than this is rounding of zero.
ZERO = 1e-6
#: Where two results differ, a seed alone is tried from so many states that differ by this share, as by rounding.
TRIES = 4
ROUNDING = 1e-6
#: The same of numbers of bfloat16.
REDUCED = 2.0**-8
#: By name, what a step computes.
Numbers = dict[str, Tensor]


def check_alone_and_batched(
    rules: Rules,
    update: BoundFunction[Players],
    state: State,
    constants: Constants,
    draws: Draws,
    *,
    global_rng: bool,
    watched: HiddenState,
) -> None:
    """Make the first step of the first replica, alone on the autograd tape and in a batch, and compare them.

    A loss may catch what torch forbids in a batch, such as reading a number, and take another path then.

    Args:
        rules: the rules of the game
        update: the update rule, with its parameters
        state: the state of all replicas before training
        constants: the buffers and swept values of all replicas
        draws: the random numbers of one step of one model
        global_rng: whether numbers that code draws from torch's global generator come from the draws
        watched: the modules of the plugins, which are looked at for what they catch

    Raises:
        PluginError: where the two differ, with what is caught and its line
    """
    # In bfloat16 and tf32 the two round otherwise from the first product on.
    rules = replace(rules, discriminator=rules.discriminator.exact(), generator=rules.generator.exact())
    index = torch.zeros((), dtype=torch.long, device=state.survived.device)
    drawn = tuple(draw[None] for draw in draws)
    first, fixed = tree_map(lambda tensor: tensor[:1].detach(), (state, constants))

    def alone(from_state: State) -> Numbers:
        step = _numbers(rules, update, autograd_gradient, global_rng)
        # Copies, since a module may write into its buffers.
        return step(of_replica(from_state, 0), tree_map(torch.clone, of_replica(fixed, 0)), draws, index)

    def batched() -> Numbers:
        step = torch.func.vmap(_numbers(rules, update, functional_gradient, global_rng), in_dims=(0, 0, 0, None))
        many: Numbers = step(first, fixed, drawn, index)
        return {name: tensor[0] for name, tensor in many.items()}

    with isolated(0, "probe.global"), _without_tf32():
        try:
            one, other = alone(first), batched()
        except Exception as error:
            if out_of_memory(error):
                raise
            refuse_changed_in_place(error, watched)
            return  # what trains so tells why it fails
        unlike = [name for name in {**one, **other} if not _same(one.get(name), other.get(name))]
        if not unlike:
            return
        # A network's own autocast is rounding, too.
        reduced = trace(alone, first).reduced
        nearly = [alone(_rounded(first, REDUCED if reduced else ROUNDING, at)) for at in range(TRIES)]
        what = next((name for name in unlike if _more_than_rounding(name, one, other, nearly)), "")
        if not what:
            return
        known, found = (_caught(run, watched) for run in (lambda: alone(first), batched))
    told = f"{what} are" if what.endswith("parameters") else f"{what} is"
    told += " not the same in a batch of seeds as for a seed alone"
    if own := [why for where, why in found.items() if where not in known]:
        raise PluginError(f"{told}: its code catches what only a batch forbids and goes another way, {_CURE}: {own[0]}")
    raise PluginError(f"{told}: its code asks whether it runs in a batch and goes another way, {_CURE}")


_CURE = "so leave that out (what cannot be batched is trained seed by seed)"


def same_numbers(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same but for rounding: their difference is small as a whole."""
    if one.shape != other.shape:
        return False
    one, other = (each.detach().double() for each in (one, other))
    if not torch.equal(one.isfinite(), other.isfinite()):
        return False
    one, other = (each.nan_to_num(0.0, 0.0, 0.0) for each in (one, other))
    return bool((one - other).norm() <= SHARE * torch.maximum(one.norm(), other.norm()) + ZERO)


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and same_numbers(one, other)


def _more_than_rounding(name: str, one: Numbers, other: Numbers, nearly: Sequence[Numbers]) -> bool:
    """Whether a number differs by more than it does where the players' parameters are rounded otherwise.

    What is 0 but for rounding has another sign then, of which Adam makes a whole step; the best of equal samples is
    another one.
    """
    if name not in one or name not in other or one[name].shape != other[name].shape:
        return True
    apart = (one[name] - other[name]).norm()
    return not any((one[name] - each[name]).norm() >= apart / 2 for each in nearly)


def _rounded(start: State, share: float, at: int) -> State:
    """The state with the players' parameters changed by about this share, another way for each ``at``."""
    random = stream(at, "probe.rounding")
    players = []
    for player in start.players:
        noise = torch.randn(player.theta.shape, generator=random).to(player.theta)
        players.append(player._replace(theta=player.theta * (1 + share * noise)))
    return start._replace(players=Players(*players))


@contextmanager
def _without_tf32() -> Iterator[None]:
    """Inside the block a GPU multiplies matrices in float32."""
    flags: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [each.allow_tf32 for each in flags]
    try:
        for each in flags:
            each.allow_tf32 = False
        yield
    finally:
        for each, allowed in zip(flags, before, strict=True):
            each.allow_tf32 = allowed


def _numbers(
    rules: Rules, update: BoundFunction[Players], gradient: Gradient, global_rng: bool
) -> Callable[[State, Constants, Draws, Tensor], Numbers]:
    """A step of one model that gives each player's gradients, and what it has moved and remembered."""

    def step(state: State, constants: Constants, draws: Draws, index: Tensor) -> Numbers:
        recorder = DrawRecorder(draws)
        own, moves = with_values(rules, update, constants.scalars, index)
        game = StepGame(own, (constants.D, constants.G), recorder, index, gradient, state.memory)
        with GlobalRngOverride(recorder) if global_rng else nullcontext():
            players = moves({"game": game, "players": state.players})
        found: Numbers = {}
        for player, before, after in zip(PLAYERS, state.players, players, strict=True):
            taken = [gradient for whose, gradient in game.gradients if whose == player]
            found |= {f"the {player}'s gradient": torch.cat(taken)} if taken else {}
            found[f"the {player}'s parameters"] = after.theta - before.theta
            found |= {f"the state of the {player}'s optimizer ({at})": one for at, one in enumerate(after.state, 1)}
        for penalty, memory in zip(own.penalties, game.memory, strict=False):
            found |= {f"what penalty {penalty.name} remembers": torch.stack(memory)} if memory else {}
        return found

    return step


def _caught(run: Callable[[], object], watched: HiddenState) -> dict[str, str]:
    """The errors that go through the plugins' code while it runs: by their places, what the code does and the cure."""
    found: dict[str, str] = {}

    def local(frame: FrameType, event: str, about: Any) -> Any:
        if event == "exception" and not issubclass(about[0], StopIteration | GeneratorExit):
            where = place(frame.f_code.co_filename, frame.f_lineno)
            error = about[1] if isinstance(about[1], BaseException) else about[0](about[1])
            found.setdefault(where, plain_words(error.with_traceback(about[2])))
        return local

    def called(frame: FrameType, event: str, about: Any) -> Any:
        return local if frame.f_globals.get("__name__") in watched.modules else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        run()
    finally:
        sys.settrace(before)
    return found
