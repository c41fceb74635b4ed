"""One training step, as a function: for one model, for all replicas at once, and on flat lists of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ganbench.core.rng import isolated
from ganbench.core.unloaded_compiler import leave_unloaded
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Player, Players
from ganbench.train.step.check import check_state
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.flat_network import Buffers
from ganbench.train.step.game import Gradient, Memory, StepGame
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules
from ganbench.train.step.swept_values import SweptValues, with_values


class State(NamedTuple):
    """All replicas' training state: every tensor's first axis is the replica.

    ``survived`` counts the steps before the first one whose losses, or whose new parameters, were not finite. A seed
    that has diverged never counts further.
    """

    players: Players
    survived: Tensor
    #: The running average of the generator's parameters, (replicas, parameters), where there is one.
    average: tuple[Tensor, ...] = ()
    #: What each penalty remembers: scalars, or nothing.
    memory: Memory = ()


class Constants(NamedTuple):
    """What is a replica's own, but no step changes: the networks' buffers, and the numbers that a sweep varies."""

    D: Buffers
    G: Buffers
    scalars: SweptValues


Draws = tuple[Tensor, ...]
Step = Callable[[State, Constants, Draws, Tensor], State]
#: A step on flat lists of tensors: (state, constants, draws, index) -> state.
FlatStep = Callable[[Sequence[Tensor], Sequence[Tensor], Draws, Tensor], Sequence[Tensor]]

leave_unloaded()


def one_step(
    rules: Rules, update: BoundFunction[Players], gradient: Gradient, *, global_rng: bool = False, first: bool = False
) -> Step:
    """Make the step of one model.

    Args:
        rules: the rules of the game
        update: the update rule, with its parameters
        gradient: how gradients are taken: by torch.func, or by the autograd tape
        global_rng: whether numbers that code draws from torch's global generator come from the draws instead
        first: whether it is made as the one whose draws were recorded was, so that it must draw them all

    Returns:
        A function (state, constants, this step's draws, step index) -> state.
    """

    def step(state: State, constants: Constants, draws: Draws, index: Tensor) -> State:
        recorder = DrawRecorder(draws)
        own, moves = with_values(rules, update, constants.scalars, index)
        game = StepGame(own, (constants.D, constants.G), recorder, index, gradient, state.memory)
        with GlobalRngOverride(recorder) if global_rng else nullcontext():
            players = moves({"game": game, "players": state.players})
        if first:
            recorder.check_all_taken()
        # One sum is enough: it is not finite where one of its terms is not.
        total = torch.stack(game.values).sum() + players.D.theta.sum() + players.G.theta.sum()
        survived = state.survived + (total.isfinite() & (state.survived == index))
        average = tuple(own.average.after(mean, players.G.theta, index) for mean in state.average if own.average)
        return State(players, survived, average, game.memory)

    return step


def batch(step: Step) -> Step:
    """The step of all replicas at once: every tensor but the step's index has a leading replica axis."""
    batched: Step = torch.func.vmap(step, in_dims=(0, 0, 0, None))
    return batched


def flat(step: Step, state: State, constants: Constants) -> FlatStep:
    """Make a step that takes and returns flat lists of tensors, as a compiler and a CUDA graph need them.

    Args:
        step: the step, whose state and constants are trees
        state: any state of the right structure
        constants: any constants of the right structure

    Returns:
        The same step on flat lists.
    """
    of_state, of_constants = tree_flatten(state)[1], tree_flatten(constants)[1]

    def flattened(
        state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, index: Tensor
    ) -> Sequence[Tensor]:
        trees = tree_unflatten(list(state), of_state), tree_unflatten(list(constants), of_constants)
        return tree_flatten(step(*trees, draws, index))[0]

    return flattened


def start(
    theta: tuple[Tensor, Tensor],
    starts: tuple[Callable[..., Any], Callable[..., Any]],
    rules: Rules,
    seeds: Sequence[int],
) -> State:
    """The state before the first step.

    Args:
        theta: the parameters of D and of G, each (replicas, parameters)
        starts: for D and for G the optimiser's ``start``: from parameters to the optimiser's first state
        rules: the rules of the game: the penalties' first memory, and whether there is a running average
        seeds: the seed of each replica

    Returns:
        The state of all replicas.
    """
    replicas = theta[0].shape[0]
    device = theta[0].device
    memories = [penalty.memory for penalty in rules.penalties]
    first = tuple(tuple(torch.full((replicas,), number, device=device) for number in own) for own in memories)

    def player(parameters: Tensor, begin: Callable[..., Any]) -> Player:
        # One by one: a norm, say, is to be that of one replica's parameters.
        own = []
        for seed, theta in zip(seeds, parameters, strict=True):
            with isolated(seed, "optimizer"):
                own.append(check_state(begin(theta)))
        state = tuple(torch.stack(tensors) for tensors in zip(*own, strict=True))
        return Player(parameters, state, torch.zeros(replicas, device=device))

    return State(
        Players(player(theta[0], starts[0]), player(theta[1], starts[1])),
        torch.zeros(replicas, dtype=torch.long, device=device),
        () if rules.average is None else (theta[1].clone(),),
        first,
    )


def of_replica(tree: Any, replica: int) -> Any:
    """One replica's state or constants, without the replica axis."""
    return tree_map(lambda tensor: tensor[replica].detach(), tree)
