"""Engines: one step written for one model, run for all replicas, block by block.

* ``eager``: ``vmap`` over the replicas, operation by operation: nothing to wait for.
* ``compiled``: the same step compiled whole (both players' updates, penalties and optimisers): several times faster,
  after some seconds of compiling.
* ``serial``: one replica after another with the autograd tape: for plugins that cannot be batched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganbench.calling import Bound
from ganbench.seeds import isolated, reseed
from ganbench.train.game import Game, Gradient, Player, Players, Rules, autograd_gradient, functional_gradient
from ganbench.train.network import Buffers
from ganbench.train.noise import Noise, Tape

ENGINES = ("eager", "compiled", "serial")


class State(NamedTuple):
    """All replicas' training state: every tensor's first axis is the replica.

    ``survived`` counts the steps before the first whose losses, or the parameters it led to, were not finite; nothing
    brings a seed that diverged back.
    """

    players: Players
    survived: Tensor


Step = Callable[[State, tuple[Buffers, Buffers], tuple[Tensor, ...], Tensor], State]


def one_step(rules: Rules, update: Bound[Players], gradient: Gradient) -> Step:
    """The step of one model: (state, buffers, this step's draws, step index) -> state."""

    def step(state: State, buffers: tuple[Buffers, Buffers], draws: tuple[Tensor, ...], index: Tensor) -> State:
        game = Game(rules, buffers, Tape(draws), index, gradient)
        players = update({"game": game, "players": state.players})
        # One sum tells: what is not finite stays so in a sum.
        total = torch.stack(game.values).sum() + players.D.theta.sum() + players.G.theta.sum()
        return State(players, state.survived + (total.isfinite() & (state.survived == index)))

    return step


def batch(step: Step) -> Step:
    """The step of all replicas at once: every tensor but the step's index has a leading replica axis."""
    batched: Step = torch.func.vmap(step, in_dims=(0, 0, 0, None))
    return batched


_COMPILED: dict[str, Step] = {}


def compiled(step: Step, shared: str) -> Step:
    """The step compiled whole, once a process for all cells that differ in nothing but their data's numbers."""
    if shared not in _COMPILED:
        # The compiler keeps what it made beside a function's code and limits how much; steps of different variants
        # share their code, so each gets a copy of its own.
        outer = f"step_{len(_COMPILED)}"

        def call(*arguments: Any) -> State:
            return step(*arguments)

        code = call.__code__.replace(co_name=outer)
        own = FunctionType(code, call.__globals__, outer, None, call.__closure__)
        logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
        _COMPILED[shared] = torch.compile(own, fullgraph=True, dynamic=False)
    return _COMPILED[shared]


class Engine:
    """Runs steps of all replicas; the engines differ in nothing but rounding."""

    def __init__(
        self,
        name: str,
        rules: Rules,
        update: Bound[Players],
        noise: Noise,
        seeds: Sequence[int],
        *,
        shared: str,
        draws_globally: bool = False,
    ) -> None:
        self.name = name
        self._noise = noise
        self._seeds = tuple(seeds)
        self._draws_globally = draws_globally
        if name == "serial":
            self._step = one_step(rules, update, autograd_gradient)
        else:
            batched = batch(one_step(rules, update, functional_gradient))
            self._step = compiled(batched, shared) if name == "compiled" else batched

    @property
    def chunk(self) -> int:
        """A number of steps after which nothing drawn is left over: what to time, so that drawing counts in full."""
        return self._noise.longest

    def run(self, state: State, buffers: tuple[Buffers, Buffers], start: int, stop: int) -> State:
        """The state after steps start, ..., stop - 1."""
        # The index is a tensor, so that a compiled step is not compiled again for each.
        indices = torch.arange(start, stop, device=state.survived.device)
        if self.name != "serial":
            for step, index in zip(range(start, stop), indices, strict=True):
                state = self._step(state, buffers, self._noise.at(step), index)
            return state
        size = self._noise.chunk
        for begin in range(start, stop, size):
            chunk = range(begin, min(begin + size, stop))
            state = self._serial(state, buffers, chunk, indices[begin - start :])
        return state

    def _serial(self, state: State, buffers: tuple[Buffers, Buffers], chunk: range, indices: Tensor) -> State:
        noise = [self._noise.at(step) for step in chunk]
        replicas = []
        for replica, seed in enumerate(self._seeds):
            own = unstack(state, replica)
            constants: tuple[Buffers, Buffers] = tuple(  # type: ignore[assignment]
                {name: tensor[replica] for name, tensor in side.items()} for side in buffers
            )
            # Dropout and the like draw from torch's global generator: lend them one that belongs to this seed and step.
            with isolated(seed, "global"):
                for step, draws, index in zip(chunk, noise, indices, strict=False):
                    if self._draws_globally:
                        reseed(seed, "global", step)
                    own = self._step(own, constants, tuple(draw[replica] for draw in draws), index)
            replicas.append(own)
        return stack(replicas)


def unstack(state: State, replica: int) -> State:
    """One replica's state, without the replica axis."""
    state_of: State = torch.utils._pytree.tree_map(lambda tensor: tensor[replica].detach(), state)
    return state_of


def stack(replicas: Sequence[State]) -> State:
    """The inverse of unstack."""
    stacked: State = torch.utils._pytree.tree_map(lambda *tensors: torch.stack(tensors), *replicas)
    return stacked


def start(theta: tuple[Tensor, Tensor], starts: tuple[Callable[..., Any], Callable[..., Any]]) -> State:
    """The state before the first step: parameters (replicas, parameters) of D and of G, fresh optimisers."""
    replicas = theta[0].shape[0]
    device = theta[0].device

    def player(parameters: Tensor, begin: Callable[..., Any]) -> Player:
        return Player(parameters, tuple(begin(parameters)), torch.zeros(replicas, device=device))

    return State(
        Players(player(theta[0], starts[0]), player(theta[1], starts[1])),
        torch.zeros(replicas, dtype=torch.long, device=device),
    )
