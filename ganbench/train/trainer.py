"""The training of a batch of cells: networks, random numbers and engine, from the plugins that a suite names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch.utils._pytree import tree_map

from ganbench.core.errors import PluginError, out_of_memory, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.core.process_state import process_kept
from ganbench.core.process_watch import process_watched
from ganbench.core.rng import isolated
from ganbench.core.threads import threads
from ganbench.core.torch_warnings import hidden
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Loss, Optimizer, Update
from ganbench.suite.plan import Cell
from ganbench.train.build import build_networks, modules, rules, starting_state
from ganbench.train.data import build_dataset, check_drawn
from ganbench.train.device import set_tf32
from ganbench.train.divergence import cause
from ganbench.train.engine.cell_cost import cell_cost, cell_speed
from ganbench.train.engine.chunks import Chunks, chunk_bytes, chunks_for
from ganbench.train.engine.cost import CellCost, Compilations
from ganbench.train.engine.engine import Engine
from ganbench.train.engine.products import product_seconds
from ganbench.train.engine.speed import CellSpeed
from ganbench.train.engine.trace import Trace, trace
from ganbench.train.evaluation import Evaluation
from ganbench.train.likeness import Likeness
from ganbench.train.notes import Notes
from ganbench.train.probe import Probe, invent, probe
from ganbench.train.repeat import hidden_state
from ganbench.train.step.draws import RandomBlocks
from ganbench.train.step.flat_network import stack
from ganbench.train.step.game import autograd_gradient, functional_gradient
from ganbench.train.step.rules import Rules, bind_schedules, check_schedules
from ganbench.train.step.step import Constants, State, Step, of_replica, one_step
from ganbench.train.step.swept_values import swept_values


class Trainer:
    """Cells ready to train as one batch: ``state = trainer.advance(trainer.start, 0, 1000)``.

    The cells are settings of one variant that differ in numbers alone (see ``plan.batches``); nearly always there is
    one cell. The replicas are the first cell's seeds, then the second's, and so on. Raises PluginError where a plugin's
    code fails.

    ``engine``: the engine that was asked for, or ``auto``; ``kept``: the one that the cells began to train with.
    ``most_bytes``: what a chunk of replicas may take; None: as much as is free now, see ``chunks.chunk_bytes``.
    ``at_once``: how many replicas trained at once before; where it is fewer than fit, memory had run out. 0: not known.
    ``replicas``: how many a step is timed for, where these cells have only some of the seeds; 0: as they have.
    """

    @hidden()
    def __init__(
        self,
        cells: Sequence[Cell],
        device: torch.device,
        engine: str,
        kept: str = "",
        *,
        most_bytes: int | None = None,
        at_once: int = 0,
        replicas: int = 0,
    ) -> None:
        self._compiled = Compilations.now()
        most_bytes = chunk_bytes(device) if most_bytes is None else most_bytes
        variants = [cell.trained for cell in cells if cell.trained is not None]
        self.cells = tuple(cells)
        self.cell, variant = cells[0], variants[0]
        #: The seed of each replica.
        self.seeds = tuple(seed for cell in cells for seed in cell.seeds)
        self.device = device
        self.dataset = build_dataset(self.cell.data)
        self.loss = variant.loss.plugin(Loss)
        set_tf32(self.cell.precision, device)
        likeness = Likeness(variant)
        networks = build_networks(variant, self.dataset, self.cell.seeds, likeness) * len(cells)
        D, G = zip(*map(modules, networks), strict=True)
        theta_D, buffers_D = stack(D, device)
        theta_G, buffers_G = stack(G, device)
        own = swept_values(variants, len(self.cell.seeds), device)
        self.constants = Constants(buffers_D, buffers_G, own)
        self.rules = rules(self.cell, variant, self.dataset, networks[0], device)
        more = (each for one in variants[1:] for each in bind_schedules(one.parts(), self.cell.steps))
        check_schedules((*self.rules.schedules, *more))
        # Before any step: a network may keep what it computes, which then could not be copied.
        self.evaluation = Evaluation(
            self.rules, self.constants, self.dataset, self.loss, self.seeds, self.cell.samples, self.cell.steps
        )
        choices = (variant.discriminator_optimizer, variant.generator_optimizer)
        starts = (choices[0].plugin(Optimizer).start, choices[1].plugin(Optimizer).start)
        self.start: State = starting_state((theta_D, theta_G), starts, self.rules, self.seeds)
        update = bind(variant.update.plugin(Update).step, variant.update.parameters)
        self._update = update
        self.probe: Probe = probe(self.rules, update, self.start, self.constants, replicas or len(self.seeds))
        self.engine = self.probe.engine(self.cell.steps, kept or engine)
        self._forced = (kept or engine) != "auto"
        watched, self._notes = hidden_state(self.rules, update), Notes()
        self._notes.add_of_step(self.cell, networks[0], self.rules, self.probe, self.start, watched, asked=engine)

        def step_of(own: Rules, *, serial: bool) -> Step:
            gradient = autograd_gradient if serial else functional_gradient
            return one_step(own, update, gradient, global_rng=self.probe.global_rng)

        def traced(code: int, replica: int) -> Trace:
            """What a step computes with the code of one seed's networks and the numbers of another's."""
            own = self.rules if code == 0 else rules(self.cell, variant, self.dataset, networks[code], device)
            step = step_of(own, serial=bool(self.probe.serial))
            index = torch.zeros((), dtype=torch.long, device=device)
            with process_kept(), isolated(0, "trace"):
                draws = invent(self.probe.draws, device)
                return trace(step, *of_replica((self.start, self.constants), replica), draws, index)

        traced_first = traced(0, 0)
        self._notes.add_of_trace(traced_first, self.cell.precision, watched)
        likeness.check_constants(traced_first.constants, watched.place("checkpoint"))
        likeness.check_code(traced)
        shared = json.dumps([traced_first.text, self.cell.precision])
        block = max((draw.block_steps for draw in self.probe.draws), default=1)

        def build(name: str, seeds: tuple[int, ...], *, reseeds: bool = True) -> Engine:
            step = step_of(self.rules, serial=name == "serial")
            chunks = chunks_for(name, len(seeds), self.probe.cost, block, most_bytes, device)
            return Engine(name, step, self.noise, seeds, chunks, shared=shared, reseeds=reseeds)

        self._build = build
        self._engine = build(self.engine, self.seeds)
        if 0 < at_once < self._engine.chunks.size:
            self._engine.shrink(at_once)
        self.evaluation.check_repeats(self.start)

    @property
    def note(self) -> str:
        """Notes on how the cells train, for the tables; empty where there are none."""
        return "; ".join(filter(None, (*self._notes.lines, self._engine.note)))

    @property
    def remarks(self) -> list[str]:
        """Of the notes those on what is probably meant otherwise: not on how the cells train."""
        return self._notes.remarks

    @property
    def chunks(self) -> Chunks:
        """How many replicas train at once."""
        return self._engine.chunks

    @property
    def block(self) -> int:
        """The steps that random numbers are drawn for at once: none are wasted in a slice of a multiple of these."""
        return self._engine.block

    def noise(self, seeds: tuple[int, ...]) -> RandomBlocks:
        """The random numbers that training these seeds draws."""
        return RandomBlocks(self.probe.draws, self.dataset, seeds, self.device, self.cell.steps)

    @hidden()
    def prepare(self) -> None:
        """Compile the step, if the engine is ``compiled``.

        Where that fails, the engine becomes ``eager``, unless the user asked for ``compiled``: then raises PluginError.
        """
        try:
            self._engine.prepare(self.start, self.constants)
        except BaseException as error:
            raise_if_stopped(error)
            if out_of_memory(error):
                raise
            if self._forced:
                raise PluginError(
                    f"the step cannot be compiled: {plain_words(error)}; --engine eager does without"
                ) from error
            self._notes.add(f"could not be compiled: {plain_words(error)}")
            self.engine, self._engine = "eager", self._build("eager", self.seeds)

    @hidden()
    def advance(self, state: State, begin: int, end: int) -> State:
        """Train for steps begin, ..., end - 1.

        Args:
            state: the state of all replicas after ``begin`` steps
            begin: the first step
            end: the step to stop before

        Returns:
            The state after ``end`` steps.

        Raises:
            PluginError: where a plugin's code fails
        """
        set_tf32(self.cell.precision, self.device)
        try:
            # Compiled, no plugin's code runs.
            with nullcontext() if self.engine == "compiled" else process_watched("a step"):
                return self._engine.run(state, self.constants, begin, end)
        except BaseException as error:
            raise_if_stopped(error)
            if out_of_memory(error):
                raise
            raise PluginError(plain_words(error)) from error

    @hidden()
    @process_kept()
    def divergence(self, replica: int, at: int) -> str:
        """Why a replica diverged at the step ``at``: its first number that is not finite; empty if it is not found."""
        set_tf32(self.cell.precision, self.device)
        one, fixed = tree_map(lambda tensor: tensor[replica : replica + 1], (self.start, self.constants))
        seed = self.seeds[replica : replica + 1]
        try:
            before = self._build("serial", seed).run(one, fixed, 0, at) if at else one
            draws = tuple(draw[0] for draw in self.noise(seed).at(at))
            index = torch.tensor(at, device=self.device)
            return cause(self.rules, self._update, of_replica(before, 0), of_replica(fixed, 0), draws, index)
        except Exception:  # it is only for a message
            return ""

    def check_data(self, replica: int, at: int) -> None:
        """Raise PluginError where the data that a replica was given at the step ``at`` is not finite."""
        real = [draw for draw in self.probe.draws if draw.kind in ("real", "labelled")]
        seed = self.seeds[replica]
        for drawn in RandomBlocks(real, self.dataset, (seed,), self.device, self.cell.steps).at(at):
            check_drawn(self.cell.data.name, drawn[0], seed, at)

    @hidden()
    @process_kept()
    def speed(self) -> CellSpeed:
        """Measure the step throughput, from the state before training, which is not changed."""
        return cell_speed(self._engine, self._alone(), self.start, self.constants, self.device)

    def _alone(self) -> Engine:
        """The engine for one model: compiled where all are, else one that takes it as a loop written by hand does."""
        if self.engine == "compiled":
            alone = self._build("compiled", self.seeds[:1])
            try:
                alone.prepare(*tree_map(lambda tensor: tensor[:1], (self.start, self.constants)))
                return alone
            except BaseException as error:
                raise_if_stopped(error)
                if out_of_memory(error):
                    raise
                self._notes.add(f"one model alone could not be compiled: {plain_words(error)}")
        return self._build("serial", self.seeds[:1], reseeds=bool(self.probe.serial))

    @hidden()
    @process_kept()
    def product_seconds(self) -> float:
        """Seconds that a core takes for the products of matrices and the convolutions of a step of one model."""
        one, fixed = tree_map(lambda tensor: tensor[:1], (self.start, self.constants))
        engine = self._build("serial", self.seeds[:1])
        with threads(1):
            return product_seconds(lambda: engine.run(one, fixed, 0, 1))

    @hidden()
    @process_kept()
    def cost(self) -> CellCost:
        """The cost of a step that does not depend on a clock, and the memory that a few steps of all replicas take."""
        return cell_cost(self._engine, self.start, self.constants, self.probe.cost, self._compiled, self.device)

    @hidden()
    def metric_inputs(
        self, state: State, step: int, replica: int, names: frozenset[str], *, final: bool
    ) -> dict[str, Any]:
        """The values that metrics may name about one replica at one evaluation; in float32, without tf32.

        Args:
            state: the training state of all replicas
            step: the step of the evaluation
            replica: which replica to evaluate
            names: the values that the metrics name; only these are computed
            final: whether this is the replica's last evaluation

        Returns:
            The values by name.
        """
        set_tf32("float32", self.device)
        return self.evaluation.metric_inputs(state, step, replica, names, final=final)

    @hidden()
    def metric_inputs_of(
        self, state: State, step: int, asked: Sequence[tuple[int, bool]], names: frozenset[str]
    ) -> list[dict[str, Any]]:
        """The values that metrics may name about several replicas; in float32, without tf32.

        Args:
            state: the training state of all replicas
            step: the step of the evaluation
            asked: the replicas to evaluate, each with whether this is its last evaluation
            names: the values that the metrics name; only these are computed

        Returns:
            The values by name, for each replica in the order of ``asked``.
        """
        set_tf32("float32", self.device)
        return self.evaluation.metric_inputs_of(state, step, asked, names)
