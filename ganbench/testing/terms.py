"""The terms that a player minimises: both functions of a loss, and what a penalty adds to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, wraps

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.types import Loss, Penalty
from ganbench.testing.checked_cell import variant_of
from ganbench.testing.game_at_point import Position, position
from ganbench.testing.result import Subject
from ganbench.train.step.rules import PlayerName, Rules

PLAYERS: tuple[PlayerName, PlayerName] = ("discriminator", "generator")
#: Rounding of float64, where sums are taken in another order.
SAME = 1e-9
#: A term is computed so often to find one that is not the same each time.
TIMES = 4
OTHERS = "gives other numbers for the same inputs"


@dataclass(frozen=True)
class Term:
    """The term that a plugin adds to one player's loss, at a position."""

    position: Position
    player: PlayerName
    alone: bool

    def __call__(self, *, rows: Tensor | None = None, rules: Rules | None = None, at: Tensor | None = None) -> Tensor:
        """Its value on some rows of the batch, with other rules, or at other parameters of its player."""
        with_it = rules or self.position.rules
        value = self.position.loss(self.player, rows=rows, rules=with_it, at=at)
        if self.alone:
            return value
        return value - self.position.loss(self.player, rows=rows, rules=replace(with_it, penalties=()), at=at)

    def gradient(self) -> Tensor:
        """Its gradient with respect to its player's parameters."""
        return self.position.gradient(self.player, lambda theta: self(at=theta))

    @property
    def name(self) -> str:
        """The name of the term in messages."""
        return f"the {self.player}'s term"


@lru_cache(maxsize=64)
def terms(subject: Subject) -> tuple[Term, ...]:
    """The terms of a loss or a penalty."""
    value: Loss | Penalty = subject.value
    at = position(variant_of(subject), subject.registry)
    # A penalty that changes D's inputs has no term of its own: it changes the whole loss.
    alone = isinstance(value, Loss) or value.inputs is not None
    return tuple(Term(at, player, alone) for player in PLAYERS if alone or getattr(value, player) is not None)


@lru_cache(maxsize=64)
def unfit(subject: Subject) -> str:
    """Why the terms cannot be tested: one is not finite, or another each time; empty where they can."""
    for term in terms(subject):
        first, *more = [term() for _ in range(TIMES)]
        if not first.isfinite():
            return f"{term.name} is {first.item()} at the start"
        if not all(torch.allclose(each, first, rtol=SAME, atol=SAME) for each in more):
            return f"{term.name} {OTHERS}"
    return ""


def steady(test: Callable[[Subject], str | None]) -> Callable[[Subject], str | None]:
    """The test, but not applicable where a term is not a finite number, the same each time: then it has no meaning."""

    @wraps(test)
    def tested(subject: Subject) -> str | None:
        if reason := unfit(subject):
            raise NotApplicableError(reason)
        return test(subject)

    return tested
