"""What the functions return that move players: where it is no such thing, a message has the function's place."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Player, Players
from ganbench.plugin.returned import described

_UPDATE = "an optimizer's update() must return"


def check_players(value: Any, update: BoundFunction[Any], *, taken: bool) -> None:
    """Check what an update rule has done and returns; raises PluginError where that is no step of the players.

    Args:
        value: what it returns
        update: the rule
        taken: whether it has taken a gradient
    """
    if not isinstance(value, Players):
        cure = ": is its return missing? Write return players" if value is None else ": write return players"
        if isinstance(value, tuple) and len(value) == 2:
            cure = ": write return players._replace(D=D, G=G)"
        raise PluginError(f"an update rule must return the players, and not {described(value)}{cure}{update.where}")
    if not taken:
        raise PluginError(f"the update rule took no gradient: game.discriminator_gradient() takes one{update.where}")


def check_moved(value: Any, player: Player, optimizer: BoundFunction[Any]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Check what an optimizer's ``update()`` returns.

    Args:
        value: what it returns
        player: the player that it was to move
        optimizer: the function

    Returns:
        The new parameters, and the new state.

    Raises:
        PluginError: where it is no such pair, of the shapes and types that it was given
    """
    missing = ": is its return missing?" if value is None else ""
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[1], tuple):
        raise PluginError(
            f"{_UPDATE} (theta, state), and state must be a tuple, (m,) of one tensor, and not {described(value)}"
            f"{missing}{optimizer.where}"
        )
    theta, state = value
    for one in (theta, *state):
        if not isinstance(one, Tensor):
            raise PluginError(
                f"{_UPDATE} theta and a state of tensors, and not {described(one)}: a number is torch.zeros(()) in "
                f"start(), and the number of the update is given as t{optimizer.where}"
            )
    after, before = (
        [(one.shape, one.dtype) for one in own] for own in ((theta, *state), (player.theta, *player.state))
    )
    if after != before:
        raise PluginError(f"{_UPDATE} a theta and a state of the shapes and types that it was given{optimizer.where}")
    return theta, state


def check_tensor(value: Any, function: BoundFunction[Any], what: str, like: Tensor | None = None) -> Tensor:
    """Check that a plugin's function returns a tensor.

    Args:
        value: what it returns
        function: the function
        what: what it must return, for messages: ``penalty noise's inputs() must return a tensor``
        like: a tensor whose shape it must have; None: any shape

    Returns:
        The value.

    Raises:
        PluginError: where it is no such tensor
    """
    if isinstance(value, Tensor) and (like is None or value.shape == like.shape):
        return value
    cure = ": is its return missing?" if value is None else ""
    what += f" of the shape {tuple(like.shape)}" if like is not None else ""
    raise PluginError(f"{what}, and not {described(value)}{cure}{function.where}")
