"""Slips in a user's own loss that fail nowhere: a column broadcast against a row, logits that D learns nothing from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from ganbench.core.errors import out_of_memory, raise_if_stopped
from ganbench.core.place import place
from ganbench.core.rng import isolated
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.types import Players
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.game import StepGame, autograd_gradient
from ganbench.train.step.rules import PlayerName, Rules
from ganbench.train.step.step import Constants, State
from ganbench.train.step.swept_values import with_values

#: Torch's functions of two tensors that broadcast, by their names without underscores.
_BROADCASTS = {"add", "sub", "rsub", "mul", "div", "truediv", "rtruediv", "pow", "maximum", "minimum", "where", "lerp"}
_BROADCASTS |= {"eq", "ne", "lt", "le", "gt", "ge"}
#: Those that make a row or a column of other numbers: what they make is of that shape on purpose.
_RESHAPES = {"getitem", "unsqueeze", "squeeze", "view", "reshape", "flatten", "unflatten", "expand", "get", "t"}
_RESHAPES |= {
    "transpose",
    "permute",
    "movedim",
    "sum",
    "mean",
    "norm",
    "vector_norm",
    "prod",
    "amax",
    "amin",
    "logsumexp",
}


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
        for player in ("discriminator", "generator"):
            recorder = DrawRecorder(device=index.device)
            game = StepGame(rules, (own.D, own.G), recorder, index, autograd_gradient, state.memory)
            with isolated(0, "probe.slips"):
                found += _of_player(game, rules, player, state)
    except BaseException as error:  # what fails is told where the step is made
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
    return [*dict.fromkeys(found)]


def _of_player(game: StepGame, rules: Rules, player: PlayerName, state: State) -> Iterable[str]:
    loss = rules.loss(player)
    terms = [(loss, ()), *((term, game.memory[at]) for at, term in _penalties(rules, player))]
    names = {name for term, _ in terms for name in term.names}
    with ExitStack() as stack:
        scope = game._scope(names, state.players.D, state.players.G, game.draw(), stack)
        logits = [name for name in ("d_real", "d_fake") if name in scope]
        leaves: dict[str, Tensor] = {name: scope[name].detach().requires_grad_() for name in logits}
        for term, memory in terms:
            given = {**scope, **leaves, "memory": memory}
            with _Columns(rules.batch, given) as columns:
                value = term(given)
            yield from columns.found
            if (
                term is loss
                and player == "discriminator"
                and not {"D", *(part for part, _ in rules.parts)} & {*term.names}
            ):
                yield from _unlearned(loss, value, leaves)


def _penalties(rules: Rules, player: PlayerName) -> Iterable[tuple[int, BoundFunction[Any]]]:
    for at, penalty in enumerate(rules.penalties):
        if term := penalty.functions.get(player):
            yield at, term


def _unlearned(loss: BoundFunction[Any], value: Any, leaves: Mapping[str, Tensor]) -> Iterable[str]:
    """Where D's loss depends on its logits of one kind alone; a loss without any gradient is told elsewhere."""
    named = [name for name in leaves if name in loss.names]
    if not named or not isinstance(value, Tensor) or not value.requires_grad:
        return
    gradients = torch.autograd.grad(value, [leaves[name] for name in named], allow_unused=True)
    code = getattr(loss.function, "__code__", None)
    where = f" ({place(code.co_filename, code.co_firstlineno)})" if code else ""
    for name, gradient in zip(named, gradients, strict=True):
        if gradient is None:
            yield (
                f"the loss's {getattr(loss.function, '__name__', 'function')}(){where} names {name}, and D gets no "
                f"gradient from it: leave .detach() and torch.no_grad() out, G is not trained by D's loss"
            )


class _Columns(TorchFunctionMode):
    """Finds where a user's code broadcasts a column, (n, 1), against a row, (n,), to (n, n) numbers.

    A column counts that was made as one, ``torch.ones(n, 1)``; and against a row that is no reshaped tensor also one
    that is given to the function or comes from a layer. With ``d_real[:, None]`` or ``keepdim`` all pairs are meant.
    """

    def __init__(self, n: int, scope: Mapping[str, Any]) -> None:
        super().__init__()
        self.found: list[str] = []
        self._row, self._column = (n,), (n, 1)
        # By identity, and kept: so no later tensor has the identity of one that is gone.
        self._given = {id(value): value for value in scope.values() if isinstance(value, Tensor)}
        self._made: dict[int, Tensor] = {}
        self._reshaped: dict[int, Tensor] = {}

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "").strip("_")
        taken = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        rows = [value for value in taken if value.shape == self._row]
        columns = [value for value in taken if value.shape == self._column]
        made = any(id(value) in self._made for value in columns)
        given = any(id(value) in self._given for value in columns)
        reshaped = any(id(value) in self._reshaped for value in rows)
        if name in _BROADCASTS and rows and (made or (given and not reshaped)) and (where := _own_line()):
            (n,) = self._row
            self.found.append(
                f"{where}: numbers of the shapes ({n},) and ({n}, 1) give ({n}, {n}), one for each pair of samples: "
                f"logits are ({n},), so make the other ({n},) too, as torch.ones_like(d_real) or .flatten() does"
            )
        if isinstance(result, Tensor) and result.shape == self._row and (reshaped or (name in _RESHAPES and not rows)):
            self._reshaped[id(result)] = result
        if isinstance(result, Tensor) and result.shape == self._column and name not in _RESHAPES:
            if made or not taken or name.startswith("new_"):
                self._made[id(result)] = result
            elif given or function is linear:
                self._given[id(result)] = result
        return result


def _own_line() -> str:
    """The innermost line of a user's own plugin that is at work; empty where there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("ganbench_plugin_") and not name.startswith("ganbench_plugin_shipped_"):
            return place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return ""
