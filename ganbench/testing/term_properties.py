"""Properties of the terms that a player minimises: of a loss, and of a penalty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.types import Loss
from ganbench.testing import slopes
from ganbench.testing.checked_cell import BATCH
from ganbench.testing.discriminators import Flat, Sure
from ganbench.testing.game_at_point import with_global_rng
from ganbench.testing.purity import global_rng_untouched, watched
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.testing.terms import OTHERS, PLAYERS, SAME, Term, steady, terms, unfit
from ganbench.train.step.flat_network import FlatNetwork, MultiNetwork
from ganbench.train.step.rules import PlayerName, Rules

#: Slopes are computed by central differences; their error is about the step squared.
STEP = 1e-5
SLOPE = 1e-5
#: Logits at which sigmoid is 1 in float32.
FAR = 30.0
TOGETHER = "a method with networks of its own may look at its samples together"


def again(subject: Subject) -> None:
    """The same inputs give the same numbers again."""
    if OTHERS in (reason := unfit(subject)):
        raise WrongError(f"{reason}: does it keep a state, or draw from elsewhere than `random`?")


def scalar(subject: Subject) -> None:
    """The term is a finite scalar, and its gradient is finite."""
    for term in terms(subject):
        # The game itself checks that it is a scalar.
        if not term().isfinite():
            raise WrongError(f"{term.name} is {term().item()} at the start")
        if not term.gradient().isfinite().all():
            raise WrongError(f"the gradient of {term.name} is not finite at the start")


def stable(subject: Subject) -> None:
    """Finite in float32 where D's logits are so large that a probability is rounded to 0 or 1."""
    for term in terms(subject):
        for logit in (FAR, -FAR):
            rules = replace(term.position.rules, discriminator=Sure(term.position.rules.discriminator.module, logit))
            single = Term(replace(term.position, rules=rules).single(), term.player, term.alone)
            if not single().isfinite() or not single.gradient().isfinite().all():
                raise WrongError(f"{term.name} or its gradient is not finite for logits up to {FAR:g} in float32")


def flat(subject: Subject) -> None:
    """Finite where D's slope is exactly zero: the derivative of a norm is not, at 0."""
    for term in terms(subject):
        rules = replace(term.position.rules, discriminator=Flat(term.position.rules.discriminator.module))
        single = Term(replace(term.position, rules=rules), term.player, term.alone)
        if not single().isfinite() or not single.gradient().isfinite().all():
            raise WrongError(
                f"{term.name} or its gradient is not finite where D is flat: a root or a norm of 0? Use "
                "gradient_norm(D, x), or add 1e-12 under the root"
            )


@steady
def order(subject: Subject) -> None:
    """The order of the batch does not matter, while pairs of data and latents stay pairs."""
    random = torch.Generator().manual_seed(0)
    # A method may use its samples in packs, which stay together, or the whole batch with more rounding.
    packed = _has_networks(subject)
    rows = torch.arange(BATCH).roll(BATCH // 2) if packed else torch.randperm(BATCH, generator=random)
    for term in terms(subject):
        _same(term(), term(rows=rows), f"{term.name} changes with the order of the batch", 1e-5 if packed else SAME)


@steady
def repetition(subject: Subject) -> None:
    """A batch repeated twice has the same value as the batch."""
    for term in terms(subject):
        once, twice = term(), term(rows=torch.arange(BATCH).repeat(2))
        try:
            _same(once, twice, f"{term.name} changes where the batch is there twice: a sum, or a norm of all of it?")
        except WrongError as reason:
            if _has_networks(subject):
                raise NotApplicableError(TOGETHER) from reason
            raise


@steady
def mean(subject: Subject) -> None:
    """A term from calls of D is a mean over samples: its value is the mean of those of two similar halves."""
    if _has_networks(subject):
        raise NotApplicableError(TOGETHER)
    found = [term for term in terms(subject) if "D" in _names(subject, term.player)]
    if not found:
        raise NotApplicableError("does not call D")
    for term in found:
        halves = torch.arange(BATCH).chunk(2)
        parts = [_from_calls(subject, term, rows) for rows in (torch.arange(BATCH), *halves)]
        both = (parts[1] + parts[2]) / 2
        _same(parts[0], both, f"what {term.name} takes from D(...) is no mean over samples: a norm of the whole batch?")


@steady
def slope(subject: Subject) -> None:
    """The gradient is that of the value: a wrong detach makes them differ."""
    random = torch.Generator().manual_seed(0)
    for term in terms(subject):
        gradient, theta = term.gradient(), term.position.theta[term.player]
        for _ in range(3):
            along = torch.randn(len(theta), generator=random, dtype=torch.float64)
            rise = (term(at=theta + STEP * along) - term(at=theta - STEP * along)) / (2 * STEP)
            if not torch.isclose(gradient @ along, rise, rtol=SLOPE * 100, atol=SLOPE * (1 + gradient.norm().item())):
                raise WrongError(
                    f"{term.name} rises by {rise.item():.4g} along a direction where its gradient says "
                    f"{(gradient @ along).item():.4g}: is something detached, or without create_graph?"
                )


def reaches(subject: Subject) -> None:
    """A gradient of its own loss reaches each player, and each of its parts."""
    for term in terms(subject):
        gradient = term.gradient()
        if not gradient.any():
            raise WrongError(f"no gradient reaches the {term.player}: is the loss constant, or something detached?")
        for name, own in _of_parts(_network(term), gradient):
            if not own.any():
                raise WrongError(f"no gradient reaches the {term.player}'s {name}")


@steady
def own_player(subject: Subject) -> None:
    """A step moves each player by the gradient of its own loss alone, compared with ``torch.autograd``."""
    at = terms(subject)[0].position
    _no_shared_parameters(at.rules)
    descent = BoundFunction(
        lambda theta, gradient, state: (theta - gradient, state), ("theta", "gradient", "state"), {}
    )
    rules = replace(at.rules, project=None, discriminator_optimizer=descent, generator_optimizer=descent)
    game, players = at.game(rules=rules), at.players()
    with with_global_rng(game):
        batch = game.draw()
        try:
            gradients = game.discriminator_gradient(players, batch), game.generator_gradient(players, batch)
        except RuntimeError as error:
            raise NotApplicableError("cannot be batched") from error
        moved = game.move(players, discriminator=gradients[0], generator=gradients[1])
    game = at.game()
    with with_global_rng(game):
        batch = game.draw()
        D, G = (at.theta[player].clone().requires_grad_() for player in PLAYERS)
        losses = game.discriminator_loss(D, G, batch) + 0 * D.sum(), game.generator_loss(D, G, batch) + 0 * G.sum()
    by_hand = torch.autograd.grad(losses[0], D, retain_graph=True)[0], torch.autograd.grad(losses[1], G)[0]
    for player, before, after, gradient in zip(PLAYERS, players, moved, by_hand, strict=True):
        _same(before.theta - after.theta, gradient, f"the {player} is moved by more than its own loss")


def untouched(subject: Subject) -> None:
    """No input is changed in place."""
    for term in terms(subject):
        rules = term.position.rules
        penalties = tuple(
            replace(each, functions={name: watched(function) for name, function in each.functions.items()})
            for each in rules.penalties
        )
        seen = {f"{player}_loss": watched(rules.loss(player)) for player in PLAYERS}
        term(rules=replace(rules, penalties=penalties, **cast("dict[str, Any]", seen)))


def global_rng(subject: Subject) -> None:
    """No global random state is changed."""
    for term in terms(subject):
        with global_rng_untouched():
            term()


PROPERTIES = (
    Property("a finite scalar", scalar),
    Property("the same inputs, the same numbers", again),
    Property("finite where D is sure", stable),
    Property("the order of the batch", order),
    Property("a batch repeated", repetition),
    Property("a mean over samples", mean),
    Property("between real and fake", steady(slopes.points)),
    Property("coordinates in another order", steady(slopes.order)),
    Property("coordinates that D ignores", steady(slopes.ignored)),
    Property("the gradient is the value's", slope),
    Property("finite where D is flat", flat),
    Property("gradients reach the players", reaches),
    Property("each loss moves its player alone", own_player),
    Property("nothing changed in place", untouched),
    Property("no global random state", global_rng),
)


def _names(subject: Subject, player: PlayerName) -> tuple[str, ...]:
    function = getattr(subject.value, player)
    return () if function is None else bind(function, {}).names


def _from_calls(subject: Subject, term: Term, rows: Tensor) -> Tensor:
    """The part of a value that comes from calls of D: minus the value with a D that is 0, at the same logits."""
    at, game = term.position, term.position.game(rows)
    function: BoundFunction[Tensor] = bind(getattr(subject.value, term.player), subject.parameters)
    with with_global_rng(game), ExitStack() as stack:
        D, G = (at.theta[player].detach().requires_grad_() for player in PLAYERS)
        scope = game._scope({*function.names}, D, G, game.draw(), stack)
        scope["memory"] = at.memory[0] if at.memory else ()
        value = function(scope)
    game = at.game(rows)
    with with_global_rng(game):
        silent = scope | {"random": game.draw().random, "D": lambda x, *more, **options: 0 * x.flatten(1).sum(1)}
        with slopes.weights_asked(silent):
            return (value - function(silent)).detach()


def _network(term: Term) -> FlatNetwork:
    rules = term.position.rules
    return rules.discriminator if term.player == "discriminator" else rules.generator


def _of_parts(network: FlatNetwork, gradient: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The pieces of a player's gradient for each of its parts, by name."""
    if isinstance(network.module, MultiNetwork):
        named = dict(network.module.named_parameters())
        pieces = torch.split(gradient, [parameter.numel() for parameter in named.values()])
        for part in network.module.parts:
            own = [piece for name, piece in zip(named, pieces, strict=True) if name.startswith(f"parts.{part}.")]
            if own:
                yield part, torch.cat(own)


def _no_shared_parameters(rules: Rules) -> None:
    own = {id(parameter) for parameter in rules.generator.module.parameters()}
    if any(id(parameter) in own for parameter in rules.discriminator.module.parameters()):
        raise WrongError("the players share parameters: each would train a copy of its own")


def _has_networks(subject: Subject) -> bool:
    return isinstance(subject.value, Loss) and subject.value.players is not None


def _same(one: Tensor, other: Tensor, message: str, tolerance: float = SAME) -> None:
    """Raise WrongError where two values differ by more than rounding."""
    if not torch.allclose(one, other, rtol=tolerance, atol=tolerance * (1 + one.abs().max().item())):
        found = f": {one.item():.6g}, and {other.item():.6g}" if one.dim() == 0 else ""
        raise WrongError(f"{message}{found}")
