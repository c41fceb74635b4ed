"""A cell's networks and the rules of its game, put together from the plugins that its variant names."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganbench.core.digest import digest
from ganbench.core.errors import PluginError, error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.process_watch import process_watched
from ganbench.core.rng import isolated, stream
from ganbench.data.labels import NO_LABELS, classes_of, misfit
from ganbench.data.phases import phases
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Architecture, Distribution, Loss, Networks, Optimizer, Penalty
from ganbench.suite.choice import Choice
from ganbench.suite.plan import Cell
from ganbench.suite.suite import Variant
from ganbench.train.data import draw
from ganbench.train.likeness import Likeness
from ganbench.train.step.average import RunningAverage
from ganbench.train.step.check import check_networks, judges
from ganbench.train.step.flat_network import FlatNetwork, as_one_module
from ganbench.train.step.rules import PlayerName, Rules, bind_loss, bind_optimizer, bind_penalty, bind_schedules
from ganbench.train.step.step import State, start


class Buildable(Protocol):
    """What networks are built from: a variant, or as much of one as is known."""

    @property
    def architecture(self) -> Choice:
        """The architecture, with its parameters."""
        ...

    @property
    def loss(self) -> Choice:
        """The loss, which may make the networks, with its parameters."""
        ...


def build_networks(
    variant: Buildable, dataset: Distribution, seeds: tuple[int, ...], likeness: Likeness | None = None
) -> list[Networks]:
    """Build each seed's networks: the architecture's, or those that the loss makes from it.

    Modules initialise themselves from torch's global generator, which is seeded anew for each seed.

    Args:
        variant: names the architecture and the loss, with their parameters
        dataset: the data: its shape, and samples for a loss that builds the networks from data
        seeds: one pair of networks is built for each
        likeness: compares the networks of the seeds with each other; those of a single seed need none

    Returns:
        The networks, one for each of ``seeds``, on the CPU.

    Raises:
        PluginError: where a plugin's code fails, or the networks do not fit the data or each other
    """
    build = bind(variant.architecture.plugin(Architecture).build, variant.architecture.parameters)
    loss = variant.loss.plugin(Loss)
    classes, method = classes_of(dataset), variant.loss.name if loss.players else ""
    if message := misfit(build.names, classes, method=method):
        raise PluginError(f"architecture {variant.architecture.name} {message}")
    players = loss.players and bind(loss.players, variant.loss.parameters)
    networks: list[Networks] = []
    #: Built to be tried: a call may leave something in a network, or in what its hooks write to.
    tried: list[Networks] = []

    def architecture(shape: tuple[int, ...]) -> Networks:
        try:
            with process_kept():
                built = build({"shape": tuple(shape), "classes": classes})
        except BaseException as error:
            raise_if_stopped(error)
            raise PluginError(f"architecture {variant.architecture.name}: {error_line(error)}") from error
        if not tried:
            check_networks(variant.architecture.name, built, tuple(shape))
            if message := misfit(build.names, classes, built.classes, method):
                raise PluginError(f"architecture {variant.architecture.name} {message}")
        return built

    def build_for(seed: int) -> Networks:
        with isolated(seed, "initial"):
            if players is None:
                return architecture(dataset.shape)
            random = stream(seed, "initial.data")
            scope: dict[str, Any] = {
                "build": architecture,
                "shape": dataset.shape,
                "data": lambda n, random=random: draw(phases(dataset)[0][1], n, random),
            }
            try:
                with process_kept():
                    made = players(scope)
            except PluginError:
                raise
            except BaseException as error:
                raise_if_stopped(error)
                raise PluginError(f"loss {variant.loss.name}: {error_line(error)}") from error
            if not tried:
                check_networks(variant.loss.name, made, dataset.shape, "loss", loss.parts)
            return made

    tried.append(build_for(seeds[0]))
    for seed in seeds:
        networks.append(build_for(seed))
        if len(networks) == 1 and _content(tried[0]) != _content(networks[0]):
            what = f"architecture {variant.architecture.name}" if players is None else f"loss {variant.loss.name}"
            raise PluginError(
                f"{what}: builds other networks each time for the same seed: draw from the global generators of torch, "
                "numpy or Python, where each seed has its own numbers, and remember nothing"
            )
        if likeness is not None:
            likeness.add(seed, networks[-1])
    return networks


def _content(networks: Networks) -> Hashable:
    """The numbers that networks start with; what else differs is found between seeds, see ``Likeness``."""
    both = modules(networks)
    return digest([networks.latent, *(dict(each.named_parameters()) | dict(each.named_buffers()) for each in both)])


def starting_state(
    theta: tuple[Tensor, Tensor],
    starts: tuple[Callable[..., Any], Callable[..., Any]],
    rules: Rules,
    seeds: tuple[int, ...],
) -> State:
    """The state before the first step, as ``step.start`` makes it.

    Args:
        theta: the parameters of D and of G, each (replicas, parameters)
        starts: the ``start`` of D's and of G's optimiser
        rules: the rules of the game
        seeds: the seed of each replica

    Returns:
        The state of all replicas.

    Raises:
        PluginError: where an optimiser starts elsewhere each time
    """
    one = (theta[0][:1], theta[1][:1])
    with process_watched("an optimizer's start()"):
        first, again = (tree_leaves(start(one, starts, rules, seeds[:1])) for _ in range(2))
    if not all(map(torch.equal, first, again)):
        raise PluginError("an optimizer's start() gives another state each time: it must depend on theta alone")
    return start(theta, starts, rules, seeds)


def modules(networks: Networks) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The two players' modules, each with its parts: (discriminator, generator)."""
    return (
        as_one_module(networks.discriminator, networks.discriminator_parts),
        as_one_module(networks.generator, networks.generator_parts),
    )


def rules(cell: Cell, variant: Variant, dataset: Distribution, networks: Networks, device: torch.device) -> Rules:
    """Put together the rules of a cell's game.

    Args:
        cell: gives the batch size, the number of steps and the precision
        variant: names the loss, the penalties, the optimisers and their schedules, with their parameters
        dataset: the data that the cell trains on
        networks: one seed's networks: their structure is used, not their numbers
        device: where the networks' modules are moved to

    Returns:
        The rules, the same for all seeds of the cell.
    """
    loss = variant.loss.plugin(Loss)
    losses = bind_loss(loss, variant.loss.parameters)
    penalties = tuple(bind_penalty(choice.plugin(Penalty), choice) for choice in variant.penalties)
    functions = (*losses, *(each for penalty in penalties for each in penalty.functions.values()))
    named = any("label" in function.names for function in functions)
    if named and not classes_of(dataset):
        raise PluginError(f"the loss or a penalty names label: it {NO_LABELS}")
    optimizers = [
        bind_optimizer(choice.plugin(Optimizer), choice.parameters)
        for choice in (variant.discriminator_optimizer, variant.generator_optimizer)
    ]
    # Before the modules are moved: ``judges`` calls D on the CPU.
    judging = loss.players is None or judges(networks, dataset.shape)
    D, G = (FlatNetwork(module.to(device), bfloat16=cell.precision == "bfloat16") for module in modules(networks))
    owners: tuple[tuple[PlayerName, Any], ...] = (
        ("discriminator", networks.discriminator_parts),
        ("generator", networks.generator_parts),
    )
    return Rules(
        discriminator=D,
        generator=G,
        discriminator_loss=losses[0],
        generator_loss=losses[1],
        discriminator_optimizer=optimizers[0],
        generator_optimizer=optimizers[1],
        batch=cell.batch,
        shape=dataset.shape,
        latent=networks.latent,
        latent_kind="normal" if networks.latent_distribution == "normal" else "symmetric",
        parts=tuple((part, player) for player, own in owners for part in own),
        project=loss.project and bind(loss.project, variant.loss.parameters),
        penalties=penalties,
        schedules=bind_schedules(variant.parts(), cell.steps),
        average=RunningAverage.of(variant.average) if variant.average else None,
        judges=judging,
        classes=classes_of(dataset) if named or networks.classes else 0,
        conditional=networks.classes > 0,
    )
