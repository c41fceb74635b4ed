"""One training step, as a function: of one model, of all replicas at once, and of flat lists of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.types import Player, Players
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.flat_network import Buffers
from ganbench.train.step.game import Gradient, Memory, StepGame
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules
from ganbench.train.step.swept_values import SweptValues, with_values


class State(NamedTuple):
    """All replicas' training state: every tensor's first axis is the replica.

    ``survived`` counts the steps before the first whose losses, or the parameters it led to, were not finite; nothing
    brings a seed that diverged back.
    """

    players: Players
    survived: Tensor
    #: The running average of the generator's parameters, (replicas, parameters), where there is one.
    average: tuple[Tensor, ...] = ()
    #: What each penalty remembers, if anything.
    memory: Memory = ()


class Constants(NamedTuple):
    """What a replica has of its own and no step changes: the networks' buffers, and the numbers that a sweep varies."""

    D: Buffers
    G: Buffers
    scalars: SweptValues


Draws = tuple[Tensor, ...]
Step = Callable[[State, Constants, Draws, Tensor], State]
#: A step of flat lists: (state, constants, draws, index) -> state.
FlatStep = Callable[[Sequence[Tensor], Sequence[Tensor], Draws, Tensor], Sequence[Tensor]]


def one_step(rules: Rules, update: BoundFunction[Players], gradient: Gradient, *, global_rng: bool = False) -> Step:
    """The step of one model: (state, constants, this step's draws, step index) -> state.

    ``global_rng``: what its code draws from torch's global generator comes from the draws instead.
    """

    def step(state: State, constants: Constants, draws: Draws, index: Tensor) -> State:
        recorder = DrawRecorder(draws)
        own, moves = with_values(rules, update, constants.scalars)
        game = StepGame(own, (constants.D, constants.G), recorder, index, gradient, state.memory)
        with GlobalRngOverride(recorder) if global_rng else nullcontext():
            players = moves({"game": game, "players": state.players})
        # One sum tells: what is not finite stays so in a sum.
        total = torch.stack(game.values).sum() + players.D.theta.sum() + players.G.theta.sum()
        survived = state.survived + (total.isfinite() & (state.survived == index))
        average = tuple(mean + (1 - (rules.average or 0.0)) * (players.G.theta - mean) for mean in state.average)
        return State(players, survived, average, game.memory)

    return step


def batch(step: Step) -> Step:
    """The step of all replicas at once: every tensor but the step's index has a leading replica axis."""
    batched: Step = torch.func.vmap(step, in_dims=(0, 0, 0, None))
    return batched


def flat(step: Step, state: State, constants: Constants) -> FlatStep:
    """The step with its trees laid flat, as a compiler and a CUDA graph want them."""
    of_state, of_constants = tree_flatten(state)[1], tree_flatten(constants)[1]

    def flattened(
        state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, index: Tensor
    ) -> Sequence[Tensor]:
        trees = tree_unflatten(list(state), of_state), tree_unflatten(list(constants), of_constants)
        return tree_flatten(step(*trees, draws, index))[0]

    return flattened


def start(theta: tuple[Tensor, Tensor], starts: tuple[Callable[..., Any], Callable[..., Any]], rules: Rules) -> State:
    """The state before the first step: parameters (replicas, parameters) of D and of G, fresh optimisers."""
    replicas = theta[0].shape[0]
    device = theta[0].device
    memories = [penalty.memory for penalty in rules.penalties]
    first = tuple(tuple(torch.full((replicas,), number, device=device) for number in own) for own in memories)

    def player(parameters: Tensor, begin: Callable[..., Any]) -> Player:
        return Player(parameters, tuple(begin(parameters)), torch.zeros(replicas, device=device))

    return State(
        Players(player(theta[0], starts[0]), player(theta[1], starts[1])),
        torch.zeros(replicas, dtype=torch.long, device=device),
        () if rules.average is None else (theta[1].clone(),),
        first,
    )


def of_replica(tree: Any, replica: int) -> Any:
    """One replica's state or constants, without the replica axis."""
    return tree_map(lambda tensor: tensor[replica].detach(), tree)
