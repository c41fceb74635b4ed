"""One trial step before training: what it draws at random, whether it can be batched, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganbench.calling import Bound
from ganbench.failure import OUT_OF_MEMORY, PluginError, describe
from ganbench.seeds import isolated
from ganbench.train.engine import State, batch, one_step, unstack
from ganbench.train.game import Game, Gradient, Players, Rules, autograd_gradient, functional_gradient
from ganbench.train.network import Buffers
from ganbench.train.noise import Draw, Tape

# Seconds an operation's dispatch costs, and floating-point operations a second, by device: rough, and constants on
# purpose, so that the same suite always gets the same engine and with it the same numbers.
DISPATCH_SECONDS = {"cpu": 15e-6, "cuda": 12e-6}
FLOPS_PER_SECOND = {"cpu": 5e10, "cuda": 1e13}
COMPILE_SECONDS = 15.0
COMPILED_SPEEDUP = 2.5


@dataclass(frozen=True)
class Probe:
    """What one trial step told.

    ``draws``: what it drew at random; ``draws_globally``: whether it drew from torch's global generator besides.
    ``serial``: why the step cannot be batched, empty where it can. ``idle``: the players whose gradient was exactly
    zero, which is nearly always a mistake. ``operations`` and ``flops``: dispatched by, and floating-point operations
    of, one eager step of all replicas.
    """

    draws: tuple[Draw, ...]
    draws_globally: bool
    idle: tuple[str, ...]
    serial: str
    operations: int
    flops: int

    def eager_seconds(self, device: torch.device) -> float:
        """An estimate of the seconds that one eager step of all replicas takes."""
        kind = device.type if device.type in DISPATCH_SECONDS else "cpu"
        return self.operations * DISPATCH_SECONDS[kind] + self.flops / FLOPS_PER_SECOND[kind]

    def engine(self, steps: int, device: torch.device, asked: str) -> str:
        """The engine to train with: ``asked`` where it can, and for ``auto`` the one that is done first."""
        if self.serial:
            return "serial"
        if asked != "auto":
            return asked
        saved = steps * self.eager_seconds(device) * (1 - 1 / COMPILED_SPEEDUP)
        return "compiled" if saved > COMPILE_SECONDS else "eager"


def probe(rules: Rules, update: Bound[Players], state: State, buffers: tuple[Buffers, Buffers]) -> Probe:
    """Try one step, from the state before training, which is left as it is.

    Raises PluginError where the step fails even for one model alone.
    """
    one, constants = unstack(state, 0), _first(buffers)
    try:
        draws, idle, globally = _record(rules, update, one, constants, functional_gradient)
    except OUT_OF_MEMORY:
        raise
    except Exception as error:
        try:
            draws, idle, globally = _record(rules, update, one, constants, autograd_gradient)
        except Exception as second:
            hint = "; see input_gradient" if "does not require grad" in str(second) else ""
            raise PluginError(describe(second) + hint) from second
        return Probe(draws, globally, idle, _why_not(error), 0, 0)
    if globally:
        return Probe(draws, globally, idle, "draws from torch's global random generator", 0, 0)
    tape = Tape(device=state.survived.device)
    tensors = tuple(
        torch.stack([tape.take(draw.purpose, _synthetic(draw.kind), draw.shape)] * len(state.survived))
        for draw in draws
    )
    step = batch(one_step(rules, update, functional_gradient))
    counter = _Counter()
    try:
        with counter:
            step(state, buffers, tensors, torch.zeros((), dtype=torch.long, device=state.survived.device))
    except OUT_OF_MEMORY:
        raise
    except Exception as error:
        return Probe(draws, globally, idle, _why_not(error), 0, 0)
    return Probe(draws, globally, idle, "", counter.operations, counter.flops)


#: What torch says of code that it cannot batch, and the same in the words of who wrote it.
_REASONS = {
    "data-dependent control flow": "reads a number out of a tensor (.item(), float(), or a Python if on it)",
    "requires_grad_": "uses the autograd tape (requires_grad_, torch.autograd.grad); see input_gradient",
    "does not require grad": "uses the autograd tape (torch.autograd.grad); see input_gradient",
}


def _why_not(error: Exception) -> str:
    """Why a step cannot be batched, in one line."""
    said = describe(error)
    where = said[said.rindex(" (") :] if said.endswith(")") else ""
    known = (words + where for sign, words in _REASONS.items() if sign in str(error))
    return next(known, said if len(said) <= 200 else said[:197] + "...")


def _synthetic(kind: str) -> str:
    return "normal" if kind == "real" else kind


def _first(buffers: tuple[Buffers, Buffers]) -> tuple[Buffers, Buffers]:
    D, G = ({name: tensor[0].clone() for name, tensor in side.items()} for side in buffers)
    return D, G


def _record(
    rules: Rules, update: Bound[Players], state: State, buffers: tuple[Buffers, Buffers], gradient: Gradient
) -> tuple[tuple[Draw, ...], tuple[str, ...], bool]:
    device = state.survived.device
    before = [{name: tensor.clone() for name, tensor in side.items()} for side in buffers]
    with isolated(0, "probe"):
        generator = _global_state(device)
        tape = Tape(device=device)
        game = Game(rules, buffers, tape, torch.zeros((), dtype=torch.long, device=device), gradient)
        players = update({"game": game, "players": state.players})
        drew_globally = _global_state(device) != generator
    if not isinstance(players, Players):
        raise TypeError(f"an update rule must return the players, not {type(players).__name__}")
    if not game.values:
        raise ValueError("the update rule took no gradient")
    for player, was in zip(("discriminator", "generator"), before, strict=True):
        side = buffers[0] if player == "discriminator" else buffers[1]
        for name, tensor in side.items():
            if not torch.equal(tensor, was[name]):
                norm = "running_" in name or name.endswith("num_batches_tracked")
                raise ValueError(
                    f"the {player}'s buffer {name!r} changes while training, and buffers are held fixed"
                    + (": for a batch norm set track_running_stats=False" if norm else "")
                )
    moved = {player for player, gradient in game.gradients if gradient.any()}
    idle = tuple(player for player in ("discriminator", "generator") if player not in moved)
    return tuple(tape.draws), idle, drew_globally


def _global_state(device: torch.device) -> bytes:
    state = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
    return bytes(state.numpy().tobytes())


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts dispatched operations, and the floating-point operations of those that torch has a formula for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0
        self.flops = 0

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operations += 1
        formula = flop_registry.get(getattr(func, "overloadpacket", None))
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=result)
        return result
