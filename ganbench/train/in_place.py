"""Who changes a player, or what a step was given, in place: a loss, an optimizer or an update rule is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from ganbench.core.errors import PluginError
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.columns import own_line
from ganbench.train.kept_theta import Updates
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
        self._updates = Updates()
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
            discriminator_optimizer=self._watched("discriminator", rules.discriminator_optimizer),
            generator_optimizer=self._watched("generator", rules.generator_optimizer),
        )

    def check(self, message: str = _RULE) -> None:
        """Raise PluginError where a player is not as it was; by default an update rule is told."""
        for name, player, theta, states in zip(PLAYERS, self._players, self._thetas, self._states, strict=True):
            if not torch.equal(player.theta, theta):
                raise PluginError(message.format(name))
            if not all(map(torch.equal, player.state, states)):
                raise PluginError(_STATE.format(name))

    def check_kept(self) -> None:
        """Raise PluginError where an optimizer gave back a step, and no new theta."""
        self._updates.check()

    def check_failed(self, by_rule: bool) -> None:
        """The same after a step that has failed: where not in the update rule's code, it was nearly always a loss."""
        self.check(_RULE if by_rule else _LOSS)

    def _watched(self, player: str, optimizer: BoundFunction[Any]) -> BoundFunction[Any]:
        @wraps(optimizer.function)
        def watched(*given: Any, **own: Any) -> Any:
            self.check()
            self._updates.keep(player, optimizer, dict(zip(optimizer.names, given, strict=True)))
            hook = register_optimizer_step_pre_hook(_refuse_step)
            try:
                found = optimizer.function(*given, **own)
            finally:
                hook.remove()
            self.check(_OPTIMIZER)
            return found

        return replace(optimizer, function=watched)


def _refuse_step(optimizer: torch.optim.Optimizer, *_: Any) -> NoReturn:
    """One of torch.optim keeps its state in itself: made in each step, it begins anew each time."""
    raise PluginError(
        f"an optimizer's update() steps torch.optim's {type(optimizer).__name__}, whose state would begin anew at each "
        "step: write what it computes, with start() and `state`, or name a shipped one, as optimizer: adam"
    )


class Unchanged(TorchFunctionMode):
    """Finds the user's own line that changes one of some tensors in place; ``line`` is empty where none does."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__()
        self.line = ""
        self._pairs = [(tensor, tensor.clone()) for tensor in tensors]

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if not self.line:
            # Within torch.func.grad a new tensor has no numbers to read.
            with torch._C._DisableFuncTorch():
                if not all(torch.equal(*pair) for pair in self._pairs):
                    self.line = own_line()
        return result
