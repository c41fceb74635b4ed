"""Properties of an update rule: which gradients it takes, where it moves the players, what it must not change."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.played import Players
from ganbench.testing.game_at_point import Position, position, with_global_rng
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.game import StepGame

RATE = 1e-3
ARBITER = "the Dirac-GAN property tests whether it converges"


def accounts(subject: Subject) -> str:
    """It takes finite gradients of both players through ``game``; both players move."""
    game, before, after = _played(subject)
    taken = [player for player, _ in game.gradients]
    for name, old, new in zip(("discriminator", "generator"), before, after, strict=True):
        if name not in taken:
            raise WrongError(f"takes no gradient for the {name}: use game.{name}_gradient, or game.gradient")
        if torch.equal(old.theta, new.theta):
            raise WrongError(f"the {name} does not move")
        if new.t <= old.t:
            raise WrongError(f"the {name} moves past its optimizer: use game.move")
    if not all(each.isfinite().all() for _, each in game.gradients):
        raise WrongError("a gradient is not finite")
    return ", ".join(f"{taken.count(name)} of the {name}" for name in dict.fromkeys(taken)) + " a step"


def downhill(subject: Subject) -> None:
    """With small steps both players go down their own losses."""
    at = _position(subject)
    _, before, after = _played(subject)
    for player, old, new in zip(("discriminator", "generator"), before, after, strict=True):
        if torch.equal(old.theta, new.theta):
            raise WrongError(f"the {player} does not move")
        if (at.gradient(player) @ (new.theta - old.theta)) >= 0:  # type: ignore[arg-type]
            if _mixed(subject):
                raise NotApplicableError(f"goes by more than each player's own loss: {ARBITER}")
            raise WrongError(f"moves the {player} up its own loss: a wrong sign?")


def own_player(subject: Subject) -> None:
    """A player whose loss is constant does not move: the other's loss does not move it."""
    if player := _mixed(subject):
        raise NotApplicableError(f"moves the {player} by the other's loss too: {ARBITER}")


def untouched(subject: Subject) -> None:
    """The players that it is given are not changed in place."""
    at = _position(subject)
    players = at.players()
    with unchanged({"players": players}):
        _step(subject, at, players)


def global_rng(subject: Subject) -> None:
    """No global random state is changed."""
    with global_rng_untouched():
        _played(subject)


PROPERTIES = (
    Property("both players move", accounts),
    Property("down their own losses", downhill),
    Property("each loss moves its player alone", own_player),
    Property("nothing changed in place", untouched),
    Property("no global random state", global_rng),
)


@lru_cache(maxsize=8)
def _mixed(subject: Subject) -> str:
    """The player, if any, that moves although its own loss is constant."""
    zero = BoundFunction(lambda d_fake: 0.0 * d_fake.sum(), ("d_fake",), {})
    for index, player in enumerate(("discriminator", "generator")):
        _, before, after = _played(subject, **{f"{player}_loss": zero})
        if not torch.allclose(before[index].theta, after[index].theta, rtol=0, atol=1e-12):
            return player
    return ""


def _position(subject: Subject) -> Position:
    def descend(theta: Tensor, gradient: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        return theta - RATE * gradient, state

    descent = BoundFunction(descend, ("theta", "gradient", "state"), {})
    at = position({}, subject.registry)
    return replace(at, rules=replace(at.rules, discriminator_optimizer=descent, generator_optimizer=descent))


def _played(subject: Subject, **rules: BoundFunction[Tensor]) -> tuple[StepGame, Players, Players]:
    """The game after one step, and the players before and after it."""
    at = _position(subject)
    at = replace(at, rules=replace(at.rules, **rules))  # type: ignore[arg-type]
    before = at.players()
    game, after = _step(subject, at, before)
    return game, before, after


def _step(subject: Subject, at: Position, players: Players) -> tuple[StepGame, Players]:
    game = at.game()
    with with_global_rng(game):
        after = bind(subject.value.step, subject.parameters)({"game": game, "players": players})
    if not isinstance(after, Players):
        raise WrongError(f"must return the players, not {type(after).__name__}")
    return game, after
