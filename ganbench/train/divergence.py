"""Why a seed has diverged: the step is made again, and the first number in it that is not finite is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.game import StepGame, autograd_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Constants, Draws, State
from ganbench.train.step.swept_values import with_values

_LOGARITHM = ": a logarithm, a root or a quotient? (logits have any sign: log sigmoid(d) is F.logsigmoid(d))"
#: From here on parameters are so large that the step before is at fault, not a formula.
_LARGE = 1e4
_ROOT = ", whose value is finite: a root, a norm or a logarithm of 0? (gradient_norm(D, x) keeps clear of 0)"


def cause(
    rules: Rules, update: BoundFunction[Players], state: State, constants: Constants, draws: Draws, index: Tensor
) -> str:
    """The first number of one model's step that is not finite.

    Args:
        rules: the rules of the game
        update: the update rule, with its parameters
        state: the model's state before the step
        constants: its buffers and swept values
        draws: the random numbers of the step
        index: the step's index

    Returns:
        In words, whose it is: "the discriminator's gradient, of penalty gp, ..."; empty where all are finite.
    """
    own, moves = with_values(rules, update, constants.scalars, index)

    def played(rules: Rules) -> tuple[StepGame, Players]:
        recorder = DrawRecorder(draws)
        game = StepGame(rules, (constants.D, constants.G), recorder, index, autograd_gradient, state.memory)
        with GlobalRngOverride(recorder):
            after = moves({"game": game, "players": state.players})
        return game, after

    game, after = played(own)
    grown = _grown(state.players, after)
    for (player, gradient), value in zip(game.gradients, game.values, strict=True):
        if not value.isfinite():
            return f"the {player}'s loss{_of_term(own, played, player, values=True)}{grown or _LOGARITHM}"
        if not gradient.isfinite().all():
            return f"the {player}'s gradient{_of_term(own, played, player, values=False)}{grown or _ROOT}"
    return ""


def _grown(before: Players, after: Players) -> str:
    """What to say where a player's parameters are very large, before the step or after; empty where they are not."""
    found = {
        "discriminator": _largest(before.D.theta, after.D.theta),
        "generator": _largest(before.G.theta, after.G.theta),
    }
    player = max(found, key=lambda name: found[name])
    if found[player] < _LARGE:
        return ""
    return f": the {player}'s parameters have grown to {found[player]:.0e} (is its learning rate too high?)"


def _largest(*thetas: Tensor) -> float:
    numbers = torch.cat(thetas)
    return numbers[numbers.isfinite()].abs().max().item()


def _of_term(rules: Rules, played: Any, player: str, *, values: bool) -> str:
    """Which penalty it is of: the one without which the player's numbers are finite; else the loss itself."""
    for name, without in _without(rules, player):
        game, _ = played(without)
        kept = [value for (whose, _), value in zip(game.gradients, game.values, strict=True) if whose == player]
        numbers = kept if values else [gradient for whose, gradient in game.gradients if whose == player]
        if numbers and numbers[0].isfinite().all():
            return f", of penalty {name}"
    return ""


def _without(rules: Rules, player: str) -> Iterator[tuple[str, Rules]]:
    """The rules without one penalty's term for a player; what it draws for it is drawn all the same."""
    for at, penalty in enumerate(rules.penalties):
        if term := penalty.functions.get(player):
            silent = BoundFunction(_silenced(term), term.names, term.parameters)
            changed = replace(penalty, functions={**penalty.functions, player: silent})
            yield penalty.name, replace(rules, penalties=(*rules.penalties[:at], changed, *rules.penalties[at + 1 :]))


def _silenced(term: BoundFunction[Tensor]) -> Any:
    def silent(*given: Any, **parameters: Any) -> Tensor:
        return torch.zeros_like(term.function(*given, **parameters).detach())

    return silent
