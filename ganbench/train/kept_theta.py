"""Whether an optimizer's ``update()`` keeps the theta that it is given: the step alone is no new theta."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError, out_of_memory, raise_if_stopped
from ganbench.core.rng import isolated
from ganbench.plugin.binding import BoundFunction
from ganbench.train.movement import PLAYERS

#: A new theta follows the one that it is made of, where this is moved: by less than this cosine it does not.
FOLLOWS = 0.1
#: And it is a step alone only where it is farther away than this share of theta's length.
FAR = 0.5
#: A step so many times as long as theta leaves nothing of it in float32, and nothing can be said.
LOST = 1e4


class Updates:
    """The first call of each player's optimizer in a step, to be looked at when the step is over."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[BoundFunction[Any], dict[str, Any]]] = {}

    def keep(self, player: str, optimizer: BoundFunction[Any], scope: dict[str, Any]) -> None:
        """Keep what an optimizer was given, where these are plain numbers: an update rule may differentiate moves.

        Args:
            player: whose optimizer it is
            optimizer: its update
            scope: what it was given, by name
        """
        if not any(
            isinstance(one, Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(one)
            for one in (scope.get("theta"), scope.get("gradient"))
        ):
            self._calls.setdefault(player, (optimizer, scope))

    def check(self) -> None:
        """Raise PluginError where a new theta does not depend on the one before it, and is nowhere near it."""
        for player in PLAYERS:
            if player in self._calls and _forgets(*self._calls[player]):
                optimizer, _ = self._calls[player]
                raise PluginError(
                    f"an optimizer's update() returns the {player}'s step, and not its new theta: write theta + step, "
                    f"as return theta - lr * gradient, state{optimizer.where}"
                )


def _forgets(optimizer: BoundFunction[Any], scope: dict[str, Any]) -> bool:
    theta = scope.get("theta")
    if theta is None:
        return False
    shift = (theta.square().mean().sqrt() + 1e-3) * torch.arange(len(theta), device=theta.device).cos().to(theta.dtype)
    try:
        one, other = (_moved(optimizer, scope | {"theta": at}) for at in (theta, theta + shift))
    except BaseException as error:  # what fails is told where the step is made
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
        return False
    if not one.double().norm() < LOST * theta.double().norm():  # as where it is NaN
        return False
    change, shift = (other - one).double(), shift.double()
    follows = change @ shift > FOLLOWS * change.norm() * shift.norm()
    return bool(~follows & ((one - theta).norm() > FAR * theta.norm()))


def _moved(optimizer: BoundFunction[Any], scope: dict[str, Any]) -> Tensor:
    with isolated(0, "probe.theta"), torch.no_grad():
        theta: Tensor = optimizer(scope)[0]
        return theta.detach()
