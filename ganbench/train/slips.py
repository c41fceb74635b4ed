"""Slips in a user's own loss that fail nowhere: a column broadcast against a row, what a player learns nothing from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ganbench.core.errors import out_of_memory, raise_if_stopped
from ganbench.core.place import place
from ganbench.core.rng import isolated
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.columns import Columns
from ganbench.train.movement import PLAYERS
from ganbench.train.probabilities import Probabilities
from ganbench.train.sides import Sides, unlearned
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.game import StepGame, autograd_gradient
from ganbench.train.step.player_function import taken_apart
from ganbench.train.step.rules import PlayerName, Rules
from ganbench.train.step.step import Constants, State
from ganbench.train.step.swept_values import with_values
from ganbench.train.sums import Addend, Sums, idle


def slips(rules: Rules, update: BoundFunction[Players], state: State, constants: Constants) -> list[str]:
    """Notes on what is probably meant otherwise in the losses and penalties of a game.

    Args:
        rules: the rules of the game
        update: the update rule, with its parameters
        state: the state of one model before training
        constants: its buffers and swept values

    Returns:
        A line for each slip, with its place; none where the terms cannot be computed by themselves.
    """
    index = torch.zeros((), dtype=torch.long, device=state.survived.device)
    own = tree_map(torch.clone, constants)
    rules, _ = with_values(rules, update, own.scalars, index)
    found: list[str] = []
    try:
        for player in PLAYERS:
            game = partial(StepGame, rules, (own.D, own.G), step=index, gradient=autograd_gradient, memory=state.memory)
            here = _looked(game, rules, player, state)
            found += [line for each in here for line in each.said]
            sloped = [each.whose for each in here if each.slope]
            if here[0].slope and sloped[1:]:
                beside = sloped[1].partition("'")[0]
                found.append(
                    f"{sloped[0]} has a gradient penalty of its own, and {beside} is one beside it: "
                    "leave one of them out, if not both are meant"
                )
            if any(not term.gradient for each in here for term in each.terms):
                there = _looked(game, rules, player, state, moved=True)
                found += [line for one, other in zip(here, there, strict=True) for line in _idle(one, other, player)]
    except BaseException as error:  # what fails is told where the step is made
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
    return [*dict.fromkeys(found)]


@dataclass(frozen=True)
class _Looked:
    """What is found in one function, a loss or a penalty: notes, the terms of its value, whose it is, if shipped.

    ``slope``: whether it takes a gradient itself, as a gradient penalty does.
    """

    said: list[str]
    terms: list[Addend]
    whose: str
    shipped: bool
    slope: bool


def _looked(
    new: Callable[..., StepGame], rules: Rules, player: PlayerName, state: State, *, moved: bool = False
) -> list[_Looked]:
    """Each function of a player's loss, looked at; ``moved``: at other weights of that player."""
    found = []
    game = new(recorder=DrawRecorder(device=state.survived.device))
    loss = rules.loss(player)
    terms = [(loss, "the loss's"), *((term, f"penalty {name}'s") for _, name, term in _penalties(rules, player))]
    memory: list[Any] = [(), *(game.memory[at] for at, _, _ in _penalties(rules, player))]
    names = {name for term, _ in terms for name in term.names}
    with isolated(0, "probe.slips"), ExitStack() as stack:
        D, G = (
            _at(one.theta, moved) if name == player else one.theta
            for name, one in zip(PLAYERS, state.players, strict=True)
        )
        scope = game._scope(names, D, G, game.draw(), stack)
        for (term, whose), remembered in zip(terms, memory, strict=True):
            given = {**scope, "memory": remembered}
            sides = Sides(given)
            # Of a method's further networks it is not known which samples they are given.
            learns = (
                term is loss and player == "discriminator" and not {part for part, _ in rules.parts} & {*term.names}
            )
            if learns:
                given["D"] = sides.watched(scope["D"])
            with Columns(rules.batch, given) as columns, Probabilities() as probabilities, sides, Sums() as sums:
                value = term(given)
            said = columns.found + probabilities.found
            # Where the loss takes D apart, what it learns from is not known.
            if learns and not taken_apart(given["D"]):
                said += _unlearned(term, value, scope, sides)
            known = isinstance(value, Tensor) and not said
            shipped = str(term.function.__module__).startswith("ganbench_plugin_shipped_")
            parts = sums.terms_of(value) if known else []
            found.append(_Looked(said, parts, f"{whose} {_named(term)}", shipped, sides.slope))
    return found


def _at(theta: Tensor, moved: bool) -> Tensor:
    """A player's weights as a leaf; ``moved``: others, near them."""
    shift = torch.arange(len(theta), device=theta.device).cos().to(theta.dtype) if moved else torch.zeros_like(theta)
    return (theta * (1 + 0.1 * shift) + 0.01 * shift).detach().requires_grad_()


def _penalties(rules: Rules, player: PlayerName) -> Iterable[tuple[int, str, BoundFunction[Any]]]:
    for at, penalty in enumerate(rules.penalties):
        if term := penalty.functions.get(player):
            yield at, penalty.name, term


def _idle(here: _Looked, there: _Looked, player: PlayerName) -> Iterable[str]:
    """Terms that depend on a player and do not move it."""
    # A shipped function's whole value has a gradient: then a network stops it, which is told beside this.
    for term in (each for each in idle(here.terms, there.terms) if each.line or not here.shipped):
        yield (
            f"{term.line or here.whose}: {'a term' if term.line else 'its value'} depends on the {player} and gives it "
            "no gradient, so it changes no step: leave .detach(), .data, .state_dict() and torch.no_grad() out, and "
            "take the gradient of D by input_gradient(D, x), or with create_graph=True"
        )


def _unlearned(loss: BoundFunction[Any], value: Any, scope: Mapping[str, Any], sides: Sides) -> list[str]:
    """Where D's loss depends on its logits of one kind alone; a loss without any gradient is told elsewhere."""
    if not isinstance(value, Tensor) or not value.requires_grad:
        return []
    named: dict[str, Tensor] = {name: scope[name] for name in ("d_real", "d_fake") if name in loss.names}
    return [
        f"the loss's {_named(loss)} {'names' if logits in named else 'calls'} {logits}, and D gets no gradient from "
        "it: leave .detach() and torch.no_grad() out, G is not trained by D's loss"
        for logits in unlearned(value, named, sides.logits)
    ]


def _named(term: BoundFunction[Any]) -> str:
    """A function's name, and its place."""
    code = getattr(term.function, "__code__", None)
    where = f" ({place(code.co_filename, code.co_firstlineno)})" if code else ""
    return f"{getattr(term.function, '__name__', 'function')}(){where}"
