"""One step run before training: what it draws at random, whether it can be batched, its cost and its time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch.utils._pytree import tree_map

from ganbench.core.errors import PluginError, out_of_memory, plugin_frame
from ganbench.core.plain_words import global_draw
from ganbench.core.process_watch import process_watched
from ganbench.core.rng import drawn_since, global_states, isolated
from ganbench.core.threads import threads_for
from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.train.alone_and_batched import check_alone_and_batched
from ganbench.train.engine.cost import StepCost, step_cost
from ganbench.train.gradient_reads import GradientReads
from ganbench.train.hidden_state import HiddenState
from ganbench.train.in_place import Untouched
from ganbench.train.movement import PLAYERS, steps_to_try, still
from ganbench.train.repeat import check_repeats, hidden_state, refuse_changes
from ganbench.train.seconds import eager_seconds, least_seconds
from ganbench.train.slips import slips
from ganbench.train.step.draws import DrawRecorder, DrawSpec
from ganbench.train.step.game import Gradient, StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.results import check_players
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Constants, Draws, State, Step, batch, of_replica, one_step
from ganbench.train.step.swept_values import with_values
from ganbench.train.why import refuse_changed_in_place, why_drawn, why_failed, why_serial

#: Seconds to compile a step that inductor has not compiled before, and for so many operations of it one second, where
#: that is longer: measured, from an mlp (260 operations) to recurrent layers over 16 steps of time (2,900: 90 s).
COMPILE_SECONDS = 10.0
COMPILED_OPERATIONS = 40
#: How many times as fast the step usually is then.
COMPILED_SPEEDUP = 3.0
#: One seed after another must take at most this share of the time that other engines take: times vary.
CLEARLY = 0.7
#: What to write in place of a buffer that counts or averages.
_STATE = "compute it from the batch at hand or from `step`, or keep it in a penalty's memory"


@dataclass(frozen=True)
class Probe:
    """What is known from one step before training.

    ``draws``: what it drew at random. ``global_rng``: whether code drew from torch's global generator where
    ``GlobalRngOverride`` could replace that. ``idle``: the players whose gradient was exactly zero, which is nearly
    always a mistake; ``unmoved``: others that stay where they are in each step that was tried.
    ``serial``: why the step cannot be batched, empty where it can. ``cost``: of one step of one model.
    ``eager_seconds``, ``serial_seconds``: measured, of one step of all replicas, as a batch and one after the other;
    the latter is only known where it matters. ``note``: what may make the step's numbers
    differ from run to run, and what the step changes for everybody; empty where nothing was found.
    """

    draws: tuple[DrawSpec, ...]
    global_rng: bool
    idle: tuple[str, ...]
    unmoved: tuple[str, ...]
    serial: str
    cost: StepCost
    eager_seconds: float
    note: str = ""
    serial_seconds: float = math.inf

    @property
    def compile_seconds(self) -> float:
        """About how long it takes to compile the step."""
        return max(COMPILE_SECONDS, self.cost.operations / COMPILED_OPERATIONS)

    def engine(self, steps: int, asked: str) -> str:
        """The engine to train with: ``asked`` where that is possible; for ``auto`` the one that finishes first."""
        if self.serial:
            return "serial"
        if asked != "auto":
            return asked
        seconds = {
            "eager": steps * self.eager_seconds,
            "compiled": steps * self.eager_seconds / COMPILED_SPEEDUP + self.compile_seconds,
            # Clocks vary, and with the engine the rounding: for a few seconds none is changed.
            "serial": steps * self.serial_seconds / CLEARLY + COMPILE_SECONDS,
        }
        return min(seconds, key=lambda name: seconds[name])


def probe(rules: Rules, update: BoundFunction[Players], state: State, constants: Constants, replicas: int) -> Probe:
    """Run one step from the state before training, and time a few; the state itself is not changed.

    Args:
        rules: the rules of the game
        update: the update rule, with its parameters
        state: the state of all replicas before training
        constants: the buffers and swept values of all replicas
        replicas: how many a step is timed for

    Returns:
        What the step draws, whether it can be batched, and what it costs.

    Raises:
        PluginError: where the step fails even for one model alone, or is another one each time
    """
    watched = hidden_state(rules, update)
    with process_watched("a step", watched.place) as told:
        found = _probed(rules, update, state, constants, replicas, watched)
    return replace(found, note="; ".join(filter(None, (found.note, *told))))


def _probed(
    rules: Rules,
    update: BoundFunction[Players],
    state: State,
    constants: Constants,
    replicas: int,
    watched: HiddenState,
) -> Probe:
    before = watched.look()
    one = of_replica(state, 0)
    # Copies, since a module may write into its buffers.
    own = tree_map(torch.clone, of_replica(constants, 0))
    untouched = Untouched(one.players)
    gradient, why = functional_gradient, ""
    recorder = DrawRecorder(device=state.survived.device)
    index = torch.zeros((), dtype=torch.long, device=state.survived.device)

    reads = GradientReads()

    def tried() -> tuple[bool, tuple[str, ...], str, Step, Draws, StepCost]:
        with reads:
            found = _record(rules, update, one, own, gradient, untouched, watched, recorder)
        step = one_step(rules, update, gradient, global_rng=found[0], first=True)
        drawn = invent(recorder.draws, index.device)
        with isolated(0, "probe.global"):
            cost = step_cost(
                partial(step, one, own, drawn, index),
                parameters=sum(player.theta.numel() for player in one.players),
                state=(one, own),
                draws=drawn,
            )
        return *found, step, drawn, cost

    try:
        global_rng, idle, globally, step, drawn, cost = tried()
    except PluginError:
        refuse_changes(watched, before)
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        gradient, why = autograd_gradient, why_serial(error, rules)
        before = watched.look()
        attempted, recorder = recorder.draws, DrawRecorder(device=state.survived.device)
        try:
            global_rng, idle, globally, step, drawn, cost = tried()
        except Exception as second:
            if out_of_memory(second):
                raise
            # What a step remembers of the attempt before makes it fail in ways that explain nothing.
            refuse_changes(watched, before)
            frame = plugin_frame(second)
            by_rule = frame is not None and frame.tb_frame.f_code is getattr(update.function, "__code__", None)
            untouched.check_failed(by_rule)
            raise PluginError(why_failed(second, watched)) from second
        recorder.check_again(attempted)
    draws, why = tuple(recorder.draws), why or globally
    other = invent(draws, index.device, "between")
    note = check_repeats(lambda state, own_draws: step(state, own, own_draws, index), one, (drawn, other), watched)
    note = "; ".join(filter(None, (note, reads.note, *slips(rules, update, one, own))))
    # Another step than the first may draw less.
    any_step = one_step(rules, update, gradient, global_rng=global_rng)
    unmoved = still(lambda state, at: any_step(state, own, drawn, at), one, idle, steps_to_try(rules, index))
    seconds, serial_seconds = 0.0, math.inf
    if not why:
        batched = batch(one_step(rules, update, functional_gradient, global_rng=global_rng))
        try:
            with threads_for(cost.peak_bytes // 4 * replicas):
                seconds = eager_seconds(batched, state, constants, drawn, index, replicas)
            if replicas > 1:
                # Some of torch's layers are faster for one model than for a batch of models: recurrent ones.
                alone = one_step(rules, update, autograd_gradient, global_rng=global_rng)
                with threads_for(cost.peak_bytes // 4):
                    serial_seconds = replicas * least_seconds(partial(alone, one, own, drawn, index), index.device)
        except Exception as error:
            if out_of_memory(error):
                raise
            refuse_changed_in_place(error, watched)
            why = why_serial(error, rules)
        else:
            check_alone_and_batched(rules, update, state, constants, drawn, global_rng=global_rng, watched=watched)
    return Probe(draws, global_rng, idle, unmoved, why, cost, seconds, note, serial_seconds)


def invent(draws: Sequence[DrawSpec], device: torch.device, which: str = "") -> Draws:
    """Random numbers for a step's draws, which belong to no seed; data are replaced by normal numbers.

    Args:
        draws: what the step draws
        device: where the numbers are made
        which: a name for these numbers: with another one they are others

    Returns:
        The numbers.
    """
    recorder = DrawRecorder(device=device)
    return tuple(
        recorder.take(f"{which}{draw.purpose}", _synthetic(draw.kind), draw.shape, draw.classes) for draw in draws
    )


def _synthetic(kind: str) -> str:
    return "normal" if kind == "real" else kind


def _record(
    rules: Rules,
    update: BoundFunction[Players],
    state: State,
    constants: Constants,
    gradient: Gradient,
    untouched: Untouched,
    watched: HiddenState,
    recorder: DrawRecorder,
) -> tuple[bool, tuple[str, ...], str]:
    """Run one step of one model: ``global_rng``, ``idle`` of a Probe; why it draws globally for all that."""
    device = state.survived.device
    buffers = (constants.D, constants.G)
    before = [{name: tensor.clone() for name, tensor in named.items()} for named in buffers]
    with isolated(0, "probe"):
        states = global_states()
        index = torch.zeros((), dtype=torch.long, device=device)
        own, moves = with_values(rules, update, constants.scalars, index)
        own, gradient = untouched.rules(own), untouched.gradient(gradient)
        game = StepGame(own, buffers, recorder, index, gradient, state.memory)
        globally: list[str] = []

        def told(call: str) -> None:
            globally.append(global_draw(call))

        with GlobalRngOverride(recorder, partial(_global_state, device), told) as global_rng:
            players = moves({"game": game, "players": state.players})
        drawn = drawn_since(states)
    check_players(players, update, taken=bool(game.values))
    untouched.check()
    untouched.check_kept()
    for player, was in zip(PLAYERS, before, strict=True):
        named = buffers[0] if player == "discriminator" else buffers[1]
        for name, tensor in named.items():
            if not torch.equal(tensor, was[name]):
                norm = "running_" in name or name.endswith("num_batches_tracked")
                raise PluginError(
                    f"the {player}'s buffer {name!r} changes while training, and buffers are held fixed: "
                    + ("for a batch norm set track_running_stats=False" if norm else _STATE)
                )
    idle = []
    for player in PLAYERS:
        taken = [gradient.any() for whose, gradient in game.gradients if whose == player]
        # An update rule may take a gradient by itself, or leave a player out of a step: then it is not known.
        if taken and not any(taken):
            idle.append(player)
    why = globally[0] if globally else why_drawn(drawn[0], watched) if drawn else ""
    return global_rng.used, tuple(idle), why


def _global_state(device: torch.device) -> bytes:
    # Within torch.func.grad a new tensor has no numbers to read.
    with torch._C._DisableFuncTorch():
        states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
        return b"".join(state.numpy().tobytes() for state in states)
