"""A step and an evaluation on the device ``meta``: what a plugin leaves on the CPU is found without a GPU."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganbench.core.errors import NotApplicableError, PluginError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.played import Players
from ganbench.plugin.types import Optimizer, Update
from ganbench.suite.plan import Cell
from ganbench.testing.one_device import META, MixedError, OneDevice, WaitError, refusal
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.testing.training import SEEDS, cell, trainer
from ganbench.train.build import build_networks, modules, rules
from ganbench.train.data import build_dataset
from ganbench.train.generator import outputs
from ganbench.train.step.draws import DrawRecorder, DrawSpec
from ganbench.train.step.flat_network import stack
from ganbench.train.step.game import Gradient, StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Constants, State, batch, of_replica, one_step, start
from ganbench.train.step.swept_values import with_values

#: Rows that are evaluated.
FEW = 4


class Empty(DrawRecorder):
    """Records the draws of a step on ``meta``, where no generator exists: tensors without numbers."""

    def __init__(self) -> None:
        super().__init__(device=META)

    def take(self, purpose: str, kind: str, shape: tuple[int, ...], classes: int = 0) -> Tensor:
        """A tensor without numbers.

        Args:
            purpose: what the draw is for
            kind: the distribution
            shape: the shape of one model's draw
            classes: of samples with labels, how many classes there are

        Returns:
            The tensor, of ``shape``.
        """
        self.draws.append(DrawSpec(purpose, kind, shape, classes))
        return torch.empty(shape, device=META)


def on_one_device(subject: Subject) -> None:
    """A step of all seeds, and an evaluation, have all their tensors on one device; the step reads none of them."""
    try:
        with OneDevice():
            walk(cell(subject, SEEDS))
    except WaitError as error:
        if why := trainer(subject, SEEDS).probe.serial:
            raise NotApplicableError(f"trains seed by seed: {why}") from error
        raise NotApplicableError(f"a GPU is waited for in each step: {plain_words(error)}") from error
    except (PluginError, WrongError):
        raise
    except BaseException as error:
        raise_if_stopped(error)
        if reason := refusal(error):
            raise WrongError(reason) from error
        # What fails on a CPU, too, is told in the words of that.
        trainer(subject, SEEDS)
        raise NotApplicableError(f"is not known without a GPU: {plain_words(error)}") from error


def walk(cell: Cell) -> None:
    """Make an evaluation and a step of a cell on ``meta``, as they are made on a GPU.

    Args:
        cell: a cell that is trained, with its plugins.

    Raises:
        WrongError: a tensor of the state is on the CPU.
        Exception: what torch or a plugin raises.
    """
    assert cell.trained is not None
    variant, dataset = cell.trained, build_dataset(cell.data)
    networks = build_networks(variant, dataset, cell.seeds)
    D, G = zip(*map(modules, networks), strict=True)
    (theta_D, buffers_D), (theta_G, buffers_G) = stack(D, META), stack(G, META)
    own, constants = rules(cell, variant, dataset, networks[0], META), Constants(buffers_D, buffers_G, {})
    choices = (variant.discriminator_optimizer, variant.generator_optimizer)
    starts = (choices[0].plugin(Optimizer).start, choices[1].plugin(Optimizer).start)
    state = start((theta_D, theta_G), starts, own, cell.seeds)
    _check_state(state, "before the first step")
    _evaluated(own, state, constants)
    update = bind(variant.update.plugin(Update).step, variant.update.parameters)
    index = torch.zeros((), dtype=torch.long, device=META)
    try:
        draws, global_rng = _drawn(own, update, of_replica((state, constants), 0), index, functional_gradient)
        drawn = tuple(torch.empty((len(cell.seeds), *draw.shape), device=META) for draw in draws)
        step = batch(one_step(own, update, functional_gradient, global_rng=global_rng))
        _check_state(step(state, constants, drawn, index), "after a step")
    except (MixedError, WaitError, WrongError):
        raise
    except Exception:  # it is trained seed by seed
        _drawn(own, update, of_replica((state, constants), 0), index, autograd_gradient)


PROPERTIES = (Property("one device", on_one_device, everywhere=False),)


def _drawn(
    rules: Rules, update: BoundFunction[Players], one: tuple[State, Constants], index: Tensor, gradient: Gradient
) -> tuple[list[DrawSpec], bool]:
    """What a step of one model draws, and whether it draws from torch's global generator."""
    (state, constants), recorder = one, Empty()
    own, moves = with_values(rules, update, constants.scalars, index)
    game = StepGame(own, (constants.D, constants.G), recorder, index, gradient, state.memory)
    with GlobalRngOverride(recorder) as override:
        moves({"game": game, "players": state.players})
    return recorder.draws, override.used


def _evaluated(rules: Rules, state: State, constants: Constants) -> None:
    """Call both networks in evaluation, where it does no harm to wait for a GPU."""
    label = (torch.empty(FEW, dtype=torch.long, device=META),) if rules.conditional else ()
    given = (rules.shape, rules.discriminator, 0), (rules.latent, rules.generator, 1)
    for shape, network, player in given[not rules.judges :]:
        theta, own = of_replica((state.players[player].theta, constants[player]), 0)
        with suppress(WaitError):
            x = torch.empty((FEW, *shape), device=META)
            outputs(network, network.tensors(theta, own), deepcopy(network.module).eval(), x, *label)


def _check_state(state: State, when: str) -> None:
    parts = {
        "the state of an optimizer": [player.state for player in state.players],
        "theta": [player.theta for player in state.players],
        "what a penalty remembers": state.memory,
    }
    for what, tree in parts.items():
        if any(leaf.device != META for leaf in tree_leaves(tree)):
            raise WrongError(
                f"on a GPU {what} is on the CPU {when}: make it of what is given, as torch.zeros_like(theta)"
            )
