"""One cell's training: its networks, noise and engine, put together from the plugins that the suite names."""

from __future__ import annotations

import copy
import json
from typing import Any

import torch
from torch import Tensor

from ganbench.calling import bind
from ganbench.failure import OUT_OF_MEMORY, PluginError, describe
from ganbench.kinds import Architecture, Loss, Networks, Optimizer, Update
from ganbench.plan import Cell
from ganbench.registry import Registry
from ganbench.seeds import isolated, stream
from ganbench.suite import Choice, Variant
from ganbench.train.check import check_networks
from ganbench.train.data import build_dataset, outcome
from ganbench.train.engine import Engine, State, start
from ganbench.train.game import Rules, bind_loss, bind_optimizer
from ganbench.train.network import Network, stack
from ganbench.train.noise import Noise, fill
from ganbench.train.probe import Probe, probe
from ganbench.train.speed import CellSpeed, measure_speed

#: Rows that are evaluated at a time on a CPU.
ROWS = 2500


class Trainer:
    """A cell ready to train: ``state = trainer.advance(trainer.start, 0, 1000)``.

    Raises PluginError where a plugin's code fails.
    """

    def __init__(self, cell: Cell, recipe: Variant, registry: Registry, device: torch.device, engine: str) -> None:
        self.cell = cell
        self.device = device
        self.dataset = build_dataset(cell.data, registry)
        self.loss = registry.value(Loss, recipe.loss.name)
        networks = _build_networks(recipe.architecture, registry, self.dataset.shape, cell.seeds)
        theta_D, buffers_D = stack([each.discriminator for each in networks], device)
        theta_G, buffers_G = stack([each.generator for each in networks], device)
        self._buffers = (buffers_D, buffers_G)
        self._rules = _rules(cell, recipe, registry, self.dataset.shape, networks[0], device)
        choices = (recipe.discriminator_optimizer, recipe.generator_optimizer)
        starts = [registry.value(Optimizer, choice.name).start for choice in choices]
        self.start: State = start((theta_D, theta_G), (starts[0], starts[1]))
        update = bind(registry.value(Update, recipe.update.name).step, recipe.update.parameters)
        self.probe: Probe = probe(self._rules, update, self.start, self._buffers)
        self.engine = self.probe.engine(cell.steps, device, engine)
        notes = [f"the {player}'s gradient is exactly zero at the first step" for player in self.probe.idle]
        if self.probe.serial and engine != "serial":
            notes.append(f"trained seed by seed: {self.probe.serial}")
        self.note = "; ".join(notes)

        sources = [registry.get(kind, choice.name).sha256 for kind, choice in recipe.choices()]
        shape = [self.dataset.shape, cell.batch, len(cell.seeds), str(device)]
        shared = json.dumps([recipe.plain(), sources, shape], sort_keys=True)

        def build(name: str, seeds: tuple[int, ...]) -> Engine:
            noise = Noise(self.probe.draws, self.dataset, seeds, device)
            globally = self.probe.draws_globally
            return Engine(name, self._rules, update, noise, seeds, shared=shared, draws_globally=globally)

        self._engine = build(self.engine, cell.seeds)
        self._eager = build("eager", cell.seeds) if engine == "auto" else None
        self._alone = build("serial", cell.seeds[:1])
        # Evaluation is in evaluation mode, and leaves the mode of the modules that train alone.
        still = (copy.deepcopy(network.module).eval() for network in (self._rules.discriminator, self._rules.generator))
        self._still = tuple(still)

    def prepare(self) -> None:
        """Compile, where that was chosen; what cannot be is trained without, unless it was asked for."""
        if self.engine != "compiled":
            return
        try:
            self._engine.run(self.start, self._buffers, 0, 1)
        except OUT_OF_MEMORY:
            raise
        except Exception as error:
            if self._eager is None:
                raise PluginError(f"the step cannot be compiled: {describe(error)}") from error
            self.engine, self.note = "eager", f"could not be compiled: {describe(error)}"
            self._engine = self._eager

    def advance(self, state: State, begin: int, end: int) -> State:
        """The state after steps begin, ..., end - 1."""
        try:
            return self._engine.run(state, self._buffers, begin, end)
        except OUT_OF_MEMORY:
            raise
        except Exception as error:
            raise PluginError(describe(error)) from error

    def speed(self) -> CellSpeed:
        """Step throughput from the state before training, which is left as it is."""
        return CellSpeed(
            together=self._measure(self._engine, self.start, self._buffers, len(self.cell.seeds)),
            one=self._measure(
                self._alone,
                torch.utils._pytree.tree_map(lambda tensor: tensor[:1], self.start),
                tuple({name: tensor[:1] for name, tensor in side.items()} for side in self._buffers),
                1,
            ),
        )

    def _measure(self, engine: Engine, state: State, buffers: Any, replicas: int) -> Any:
        def run(begin: int, end: int) -> None:
            nonlocal state
            state = engine.run(state, buffers, begin, end)

        return measure_speed(run, engine.chunk, replicas, self.device)

    def outcome(self, state: State, step: int, replica: int, names: frozenset[str], *, final: bool) -> dict[str, Any]:
        """What metrics may name about one replica at one evaluation; of ``names``, what has to be computed.

        Latents and held-out data are drawn from the seed's evaluation streams, the same for every variant.
        """
        seed, n = self.cell.seeds[replica], self.cell.samples
        latent = fill(
            self._rules.latent_kind,
            (n, *self._rules.latent),
            stream(seed, "evaluate.latent", step, self.device),
        )
        with torch.no_grad(), isolated(seed, "evaluate.global", step):
            samples = self._evaluate("G", state, replica, latent)
            scope = outcome(samples, self.dataset, seed, names, final=final) | {"loss": self.loss}
            if "d_real" in names:
                scope["d_real"] = self._evaluate("D", state, replica, scope["real"]).flatten()
            if "d_fake" in names:
                scope["d_fake"] = self._evaluate("D", state, replica, samples).flatten()
        return scope

    def _evaluate(self, player: str, state: State, replica: int, x: Tensor) -> Tensor:
        at = 0 if player == "D" else 1
        network = (self._rules.discriminator, self._rules.generator)[at]
        buffers = {name: tensor[replica] for name, tensor in self._buffers[at].items()}
        theta, still = state.players[at].theta[replica], self._still[at]
        # A processor's caches hold the layers of so many rows: three times as fast as all at once.
        rows = ROWS if x.device.type == "cpu" else len(x)
        return torch.cat([network.call(theta, buffers, some, still) for some in torch.split(x, rows)])


def _rules(
    cell: Cell,
    recipe: Variant,
    registry: Registry,
    shape: tuple[int, ...],
    networks: Networks,
    device: torch.device,
) -> Rules:
    losses = bind_loss(registry.value(Loss, recipe.loss.name), recipe.loss.parameters)
    optimizers = [
        bind_optimizer(registry.value(Optimizer, choice.name), choice.parameters)
        for choice in (recipe.discriminator_optimizer, recipe.generator_optimizer)
    ]
    return Rules(
        discriminator=Network(networks.discriminator.to(device)),
        generator=Network(networks.generator.to(device)),
        discriminator_loss=losses[0],
        generator_loss=losses[1],
        discriminator_optimizer=optimizers[0],
        generator_optimizer=optimizers[1],
        batch=cell.batch,
        shape=shape,
        latent=networks.latent,
        latent_kind="normal" if networks.latent_distribution == "normal" else "symmetric",
    )


def _build_networks(
    choice: Choice, registry: Registry, shape: tuple[int, ...], seeds: tuple[int, ...]
) -> list[Networks]:
    build = bind(registry.value(Architecture, choice.name).build, choice.parameters)
    networks = []
    for seed in seeds:
        # Modules initialise themselves from torch's global generator: lend them one that belongs to this seed.
        with isolated(seed, "initial"):
            try:
                networks.append(build({"shape": shape}))
            except Exception as error:
                raise PluginError(f"architecture {choice.name}: {describe(error)}") from error
            if seed == seeds[0]:
                check_networks(choice.name, networks[0], shape)
    return networks
