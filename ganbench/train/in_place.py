"""Who changes a player in place: the first step is watched, and the loss, the optimizer or the update rule is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.types import Players
from ganbench.train.movement import PLAYERS
from ganbench.train.step.game import Gradient
from ganbench.train.step.rules import Rules

_LOSS = (
    "a step changes the {}'s weights in place, as weight.data.clamp_() does: write Loss(project=...), a function of "
    "D's weights that is applied after each of its steps"
)
_OPTIMIZER = "an optimizer's update() changes the {}'s theta in place: return a new one, as theta - lr * gradient"
_STATE = (
    "an optimizer's update() changes the {}'s state in place, as torch's own optimizers do: compute new tensors, as "
    "m = b * m + gradient, and return (theta, (m,))"
)
_RULE = (
    "an update rule changes the {}'s theta in place: move it by game.move(), or write "
    "players._replace(D=players.D._replace(theta=...))"
)


class Untouched:
    """The players before a step, and a watch over who changes them in place."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self._thetas = [player.theta.clone() for player in players]
        self._states = [[tensor.clone() for tensor in player.state] for player in players]

    def gradient(self, gradient: Gradient) -> Gradient:
        """The same gradient; raises PluginError where the function that it is of changes a player."""

        def watched(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
            self.check()
            found = gradient(function, theta)
            self.check(_LOSS)
            return found

        return watched

    def rules(self, rules: Rules) -> Rules:
        """The same rules; raise PluginError where an optimizer changes a player."""
        return replace(
            rules,
            discriminator_optimizer=self._watched(rules.discriminator_optimizer),
            generator_optimizer=self._watched(rules.generator_optimizer),
        )

    def check(self, message: str = _RULE) -> None:
        """Raise PluginError where a player is not as it was; by default an update rule is told."""
        for name, player, theta, states in zip(PLAYERS, self._players, self._thetas, self._states, strict=True):
            if not torch.equal(player.theta, theta):
                raise PluginError(message.format(name))
            if not all(map(torch.equal, player.state, states)):
                raise PluginError(_STATE.format(name))

    def check_failed(self, by_rule: bool) -> None:
        """The same after a step that has failed: where not in the update rule's code, it was nearly always a loss."""
        self.check(_RULE if by_rule else _LOSS)

    def _watched(self, optimizer: BoundFunction[Any]) -> BoundFunction[Any]:
        @wraps(optimizer.function)
        def watched(*given: Any, **own: Any) -> Any:
            self.check()
            found = optimizer.function(*given, **own)
            self.check(_OPTIMIZER)
            return found

        return replace(optimizer, function=watched)
