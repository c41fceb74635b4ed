"""Evaluation of trained models: the values that metrics may name, on a CPU for several models at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from queue import SimpleQueue
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch._C import _functorch as functorch
from torch.utils._pytree import tree_leaves

from ganbench.core.errors import PluginError
from ganbench.core.rng import drawn_since, global_states, isolated, restored, stream
from ganbench.core.threads import pool
from ganbench.data.labels import class_shares
from ganbench.data.phases import at_step
from ganbench.plugin.types import Distribution, Loss
from ganbench.train.data import held_out_labels, metric_inputs
from ganbench.train.generator import evaluation_labels, evaluation_latents, outputs
from ganbench.train.step.draws import fill
from ganbench.train.step.rules import Rules
from ganbench.train.step.step import Constants, State

#: Rows that are tried before training.
FEW = 4

T = TypeVar("T")


class Evaluation:
    """The discriminators and generators of a batch of cells, in evaluation mode.

    ``seeds``: the seed of each replica; ``samples``: how many samples each generator makes; ``steps``: the steps of the
    whole training. Data that change during training are those that the last step before the evaluation drew from. On a
    CPU several models are evaluated at a time, each in a thread of its own.
    """

    def __init__(
        self,
        rules: Rules,
        constants: Constants,
        dataset: Distribution,
        loss: Loss,
        seeds: Sequence[int],
        samples: int,
        steps: int,
    ) -> None:
        self._networks = (rules.discriminator, rules.generator)
        self._judges, self._classes = rules.judges, rules.classes if rules.conditional else 0
        self._latent, self._latent_kind = (samples, *rules.latent), rules.latent_kind
        self._buffers = (constants.D, constants.G)
        self._dataset, self._loss, self._seeds, self._steps = dataset, loss, tuple(seeds), steps
        self._workers = min(torch.get_num_threads(), len(seeds))
        # Copies: the modules that train stay in training mode, and two threads must not call the same module.
        self._modules: SimpleQueue[list[nn.Module]] = SimpleQueue()
        for _ in range(self._workers):
            self._modules.put([_copy(network.module).eval() for network in self._networks])

    @torch.no_grad()
    def check_repeats(self, state: State) -> None:
        """Raise PluginError where a network gives other outputs each time for the same few inputs."""
        device = state.survived.device
        x = fill(self._latent_kind, (FEW, *self._latent[1:]), stream(0, "check.latent", 0, device))
        label = (torch.arange(FEW, device=device) % self._classes,) if self._classes else ()
        for player, name in ((1, "generator"), (0, "discriminator"))[: 1 + self._judges]:
            found = []
            for _ in range(2):
                with isolated(0, "check.global"):
                    try:
                        found += self._through(player, state, 0, (x, *label))
                    except Exception:  # the evaluation itself says what fails, of as many samples as it has
                        return
            if not torch.allclose(found[0], found[1], rtol=1e-4, atol=1e-4, equal_nan=True):
                raise PluginError(
                    f"the {name} in evaluation gives other outputs each time for the same input: it must depend on its "
                    "input and its parameters alone; torch.randn is seeded for each seed"
                )
            x = found[0]

    @torch.no_grad()
    def metric_inputs(
        self, state: State, step: int, replica: int, names: frozenset[str], *, final: bool
    ) -> dict[str, Any]:
        """The values that metrics may name about one replica at one evaluation.

        Latents and held-out data are drawn from the seed's evaluation streams, the same for every variant.

        Args:
            state: the training state of all replicas
            step: the step of the evaluation
            replica: which replica to evaluate
            names: the values that the metrics name; only these are computed
            final: whether this is the replica's last evaluation

        Returns:
            The values by name.
        """
        with isolated(self._seeds[replica], "evaluate.global", step):
            scope = self._known(self._samples(state, step, replica), step, replica, final, names)
            return scope | self._logits(state, replica, scope, names)

    @torch.no_grad()
    def metric_inputs_of(
        self, state: State, step: int, asked: Sequence[tuple[int, bool]], names: frozenset[str]
    ) -> list[dict[str, Any]]:
        """The values that metrics may name about several replicas; the same as ``metric_inputs`` gives for each.

        Args:
            state: the training state of all replicas
            step: the step of the evaluation
            asked: the replicas to evaluate, each with whether this is its last evaluation
            names: the values that the metrics name; only these are computed

        Returns:
            The values by name, for each replica in the order of ``asked``.
        """
        if self._workers > 1 and len(asked) > 1 and state.survived.device.type == "cpu":
            with restored():
                states = global_states()
                try:
                    found = self._side_by_side(state, step, asked, names)
                except Exception:
                    # One by one they need less memory; what fails then is raised for the first replica that fails.
                    found = None
                if found is not None and not drawn_since(states):
                    return found
            # A network draws from a global generator, which threads would share: evaluate one by one.
            self._workers = 1
        return [self.metric_inputs(state, step, replica, names, final=final) for replica, final in asked]

    @torch.no_grad()
    def drawn(
        self,
        state: State,
        replicas: Sequence[int],
        work: Callable[[int, Callable[..., Tensor], Callable[[Tensor], Tensor] | None], T],
    ) -> list[T]:
        """What is made of the networks of some replicas, in evaluation, after their metric inputs.

        Args:
            state: the training state of all replicas
            replicas: which replicas
            work: is given a replica's seed, its generator, (n, *latent) -> (n, *shape), which takes labels (n,), too,
                where it is conditional, and its discriminator, (n, *shape) -> (n,), or None where that judges more than
                samples; on a CPU several at a time

        Returns:
            What ``work`` returns, for each replica.
        """

        def one(replica: int) -> T:
            def G(*inputs: Tensor) -> Tensor:  # noqa: N802
                return self._through(1, state, replica, inputs)[0]

            def D(x: Tensor) -> Tensor:  # noqa: N802
                return self._through(0, state, replica, (x,))[0].flatten()

            return work(self._seeds[replica], G, D if self._judges and not self._classes else None)

        if self._workers > 1 and len(replicas) > 1 and state.survived.device.type == "cpu":
            with restored():
                return self._each(one, replicas)
        found = []
        for replica in replicas:
            with isolated(self._seeds[replica], "picture.global"):
                found.append(one(replica))
        return found

    def _side_by_side(
        self, state: State, step: int, asked: Sequence[tuple[int, bool]], names: frozenset[str]
    ) -> list[dict[str, Any]]:
        replicas = [replica for replica, _ in asked]
        samples = self._each(lambda replica: self._samples(state, step, replica), replicas)
        # One after another: a dataset's code need not be thread-safe.
        scopes = [self._known(own, step, *which, names) for own, which in zip(samples, asked, strict=True)]
        scope_of = dict(zip(replicas, scopes, strict=True))
        logits = self._each(lambda replica: self._logits(state, replica, scope_of[replica], names), replicas)
        return [scope | own for scope, own in zip(scopes, logits, strict=True)]

    def _each(self, work: Callable[[int], T], replicas: Sequence[int]) -> list[T]:
        threads = pool(self._workers, max(1, torch.get_num_threads() // self._workers))
        futures = [threads.submit(work, replica) for replica in replicas]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
            wait(futures)

    def _known(self, samples: Tensor, step: int, replica: int, final: bool, names: frozenset[str]) -> dict[str, Any]:
        dataset, seed, device = self._data(step), self._seeds[replica], samples.device
        own: dict[str, Any] = {"loss": self._loss}
        if self._classes:
            own["label"] = self._labels(step, replica, len(samples), device)
            if "d_real" in names:
                own["real_label"] = held_out_labels(dataset, len(samples), seed, device)
        return metric_inputs(samples, dataset, seed, names, final=final) | own

    def _data(self, step: int) -> Distribution:
        return at_step(self._dataset, max(step - 1, 0), self._steps)

    def class_shares(self, step: int) -> tuple[float, ...]:
        """How often each class is asked for at an evaluation; empty where the generator takes no labels."""
        shares = class_shares(self._data(step)) if self._classes else None
        return () if shares is None else tuple(map(float, shares))

    def _labels(self, step: int, replica: int, n: int, device: torch.device) -> Tensor:
        return evaluation_labels(self.class_shares(step), n, self._seeds[replica], step, device)

    def _samples(self, state: State, step: int, replica: int) -> Tensor:
        device = state.survived.device
        z = evaluation_latents(self._latent_kind, self._latent, self._seeds[replica], step, device)
        label = (self._labels(step, replica, len(z), device),) if self._classes else ()
        return self._through(1, state, replica, (z, *label))[0]

    def _logits(self, state: State, replica: int, scope: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
        if not self._judges:
            return {}
        points = {"d_real": ("real", "real_label"), "d_fake": ("samples", "label")}
        given = 2 if self._classes else 1
        of = {name: tuple(scope[one] for one in own[:given]) for name, own in points.items() if name in names}
        logits = self._through(0, state, replica, *of.values())
        return {name: own.flatten() for name, own in zip(of, logits, strict=True)}

    def _through(self, player: int, state: State, replica: int, *inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """The outputs of one replica's discriminator (``player`` 0) or generator (1) for each of the inputs.

        Each is one tensor or, for conditional networks, a tensor and its labels.
        """
        tensors = self._tensors(player, state, replica)
        modules = self._modules.get()
        try:
            return [outputs(self._networks[player], tensors, modules[player], *own) for own in inputs]
        finally:
            self._modules.put(modules)

    def _tensors(self, player: int, state: State, replica: int) -> dict[str, Tensor]:
        # Where the generator's weights are averaged, the average is measured.
        own = state.average[0] if player and state.average else state.players[player].theta
        buffers = {name: own[replica] for name, own in self._buffers[player].items()}
        return self._networks[player].tensors(own[replica], buffers)

    def generator(self, state: State, replica: int) -> dict[str, Tensor]:
        """A copy, on the CPU, of the parameters and buffers that a replica's generator is evaluated with, by name.

        A tensor that two modules of the generator share is there once, by its first name.
        """
        tensors = self._tensors(1, state, replica)
        return {name: tensors[name].detach().cpu().clone() for name in self._networks[1].names}


def _copy(module: nn.Module) -> nn.Module:
    """A copy; torch itself does not copy tensors that a module's last call has left in its attributes."""
    held = (leaf for part in module.modules() for leaf in tree_leaves(vars(part)) if isinstance(leaf, Tensor))
    left = {id(leaf): _plain(leaf) for leaf in held if not leaf.is_leaf or functorch.is_functorch_wrapped_tensor(leaf)}
    copied: nn.Module = copy.deepcopy(module, left)
    return copied


def _plain(tensor: Tensor) -> Tensor | None:
    """A tensor that was made in a trace, as it is without that; None for one of several replicas."""
    while functorch.is_functorch_wrapped_tensor(tensor):
        if functorch.is_batchedtensor(tensor):
            return None
        tensor = functorch.get_unwrapped(tensor)
    return tensor.detach().clone()
