"""Whether the players move: a player that stays, or that all seeds start at one point, is said before training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from ganbench.core.errors import out_of_memory
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import State

PLAYERS: Final = ("discriminator", "generator")
#: So many steps, one after the other, are tried where a player does not move: it may add up gradients first.
FIRST_STEPS = 16
_DETACHED = ": does its loss stop it, by .detach(), .data, torch.no_grad() or a comparison?"


def steps_to_try(rules: Rules, first: Tensor) -> list[Tensor]:
    """The first steps, and those at which a player may move that stays till then, where a schedule begins at 0."""
    ends = {at for schedule in rules.schedules for at in (schedule.steps // 2, schedule.steps - 1)}
    return [first, *(torch.full_like(first, at) for at in sorted({*range(1, FIRST_STEPS), *ends}))]


def still(
    step: Callable[[State, Tensor], State], begin: State, idle: Sequence[str], steps: Sequence[Tensor]
) -> tuple[str, ...]:
    """The players whose gradient is not known to be zero, and that no step moves.

    Args:
        step: what a step of a given number makes of a state
        begin: the state before the first one
        idle: the players whose gradient is zero
        steps: the numbers of the steps to make, one after the other; nearly always the first is enough

    Returns:
        Their names.
    """
    found, state = [player for player in PLAYERS if player not in idle], begin
    for at in steps if found else ():
        try:
            state = step(state, at)
        except Exception as error:  # that a later step fails is told where it is made
            if out_of_memory(error) or at is steps[0]:
                raise
            return ()
        before, after = (dict(zip(PLAYERS, one.players, strict=True)) for one in (begin, state))
        found = [player for player in found if torch.equal(before[player].theta, after[player].theta)]
        if not found:
            break
    return tuple(found)


def movement_notes(idle: Sequence[str], unmoved: Sequence[str], theta: tuple[Tensor, Tensor], seeds: int) -> list[str]:
    """Notes on players that do not move, or start alike.

    Args:
        idle: the players whose gradient is exactly zero
        unmoved: the players that stay though it is not
        theta: the parameters of D and of G at the start, each (replicas, parameters)
        seeds: how many seeds there are; the replicas are those of one setting after the other's

    Returns:
        The notes.
    """
    notes = [f"the {player}'s gradient is exactly zero at the first step{_DETACHED}" for player in idle]
    notes += [
        f"the {player} does not move in {FIRST_STEPS} steps: an update rule must take game.{player}_gradient() and "
        "return the players that game.move() returns, an optimizer's update() a new theta, and a rate must not be 0; "
        "where it is meant to move later, leave it so"
        for player in unmoved
    ]
    notes += [
        f"the {player} starts from the same parameters for every seed: build must make it anew each time, from "
        "torch's global generator, without torch.manual_seed"
        for player, own in zip(PLAYERS, theta, strict=True)
        if seeds > 1 and torch.equal(own[:seeds], own[:1].expand(seeds, -1))
    ]
    return notes
