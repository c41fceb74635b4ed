"""The game of two players, as an update rule sees it: draw a batch, take gradients, move the players.

min over G, max over D of V(D, G) (Goodfellow et al. 2014, equation 1), with each player's loss as its plugin gives it.
Everything here is written for one model; the engine runs it for many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ganbench.core.errors import PluginError
from ganbench.plugin.played import Batch, Player, Players
from ganbench.train.step.check import check_gradients, check_memory, check_scalar
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.flat_network import Buffers, FlatNetwork
from ganbench.train.step.lazy_batch import LazyBatch
from ganbench.train.step.player_function import PlayerFunction
from ganbench.train.step.results import check_moved, check_tensor
from ganbench.train.step.rules import BoundOptimizer, PlayerName, Rules
from ganbench.train.step.short_lived import ShortLived

#: What each penalty remembers: scalars.
Memory = tuple[tuple[Tensor, ...], ...]
Gradient = Callable[[Callable[[Tensor], Tensor], Tensor], tuple[Tensor, Tensor]]


def functional_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """(gradient, value) by torch.func: can be batched over replicas, compiled and nested."""
    gradient, value = torch.func.grad_and_value(function)(theta)
    return gradient, value


def autograd_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """(gradient, value) by the autograd tape: one model at a time, for plugins that use the tape themselves."""
    leaf = theta.detach().requires_grad_()
    value = function(leaf)
    if not value.requires_grad:
        return torch.zeros_like(theta), value
    (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True, materialize_grads=True)
    return gradient, value.detach()


class StepGame(
    ShortLived,
    own="_buffers _gradient _recorder _rules _step gradients memory values",
    called="the game",
    instead="what lasts is in an optimizer's `state` or a penalty's `memory`; an average of G's weights is the suite's "
    "`average`",
):
    """A ``Game`` at one step: the rules, with the buffers, the draws and the memory of that step."""

    def __init__(
        self,
        rules: Rules,
        buffers: tuple[Buffers, Buffers],
        recorder: DrawRecorder,
        step: Tensor,
        gradient: Gradient,
        memory: Memory = (),
    ) -> None:
        self._rules = rules
        self._buffers = buffers
        self._recorder = recorder
        self._step = step
        self._gradient = gradient
        #: What each penalty remembers, after the gradients so far.
        self.memory = memory
        #: What the step has computed so far: the losses' values, and the gradients with the names of their players.
        self.values: list[Tensor] = []
        self.gradients: list[tuple[str, Tensor]] = []

    def draw(self) -> LazyBatch:
        """A fresh minibatch of data and latents."""
        return LazyBatch(self._recorder, self._rules)

    def discriminator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The discriminator's loss at the parameters (D, G), with its penalties.

        Args:
            D: the discriminator's parameters, a vector, or the player itself
            G: the generator's parameters, a vector, or the player itself
            batch: the minibatch

        Returns:
            The loss, a scalar.

        Raises:
            PluginError: where the loss or a penalty returns no scalar
        """
        return self._loss("discriminator", D, G, batch)

    def generator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The generator's loss at the parameters (D, G), with its penalties.

        Args:
            D: the discriminator's parameters, a vector, or the player itself
            G: the generator's parameters, a vector, or the player itself
            batch: the minibatch

        Returns:
            The loss, a scalar.

        Raises:
            PluginError: where the loss or a penalty returns no scalar
        """
        return self._loss("generator", D, G, batch)

    def discriminator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the discriminator's loss with respect to its own parameters."""
        G = players.G.theta
        gradient = self.gradient("discriminator", lambda D: self.discriminator_loss(D, G, batch), players.D.theta)
        self.remember(players, batch)
        return gradient

    def generator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the generator's loss with respect to its own parameters."""
        D = players.D.theta
        return self.gradient("generator", lambda G: self.generator_loss(D, G, batch), players.G.theta)

    def gradient(self, player: PlayerName, function: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
        """The gradient of a function from a vector to a scalar; recorded, with the value, for a player.

        A seed whose recorded values are not finite has diverged. Within the function use ``torch.func.grad``.

        Args:
            player: the player that the gradient is recorded for
            function: from parameters, a vector, to a scalar
            theta: where to take the gradient, a vector

        Returns:
            The gradient, a vector like ``theta``.
        """
        gradient, value = self._gradient(function, theta)
        self.values.append(value)
        self.gradients.append((player, gradient))
        return gradient

    def move(
        self, players: Players, *, discriminator: Tensor | None = None, generator: Tensor | None = None
    ) -> Players:
        """Move each player whose gradient is given by one step of its optimiser.

        Args:
            players: the players before the step
            discriminator: the discriminator's gradient, or None: it does not move
            generator: the generator's gradient, or None: it does not move

        Returns:
            The players after the step.

        Raises:
            PluginError: where an optimiser's ``update()`` returns other shapes or types than it was given, a loss's
                ``project()`` another shape, or a gradient is the other player's
        """
        D, G = players
        check_gradients((D.theta, G.theta), (discriminator, generator), self.gradients)
        if discriminator is not None:
            D = _advance(D, discriminator, self._rules.discriminator_optimizer, self._rules.discriminator)
            if self._rules.project is not None:
                projected = self._rules.project({"theta": D.theta})
                what = "the loss's project() must return D's parameters, a vector"
                D = D._replace(theta=check_tensor(projected, self._rules.project, what, D.theta).to(D.theta.dtype))
        if generator is not None:
            G = _advance(G, generator, self._rules.generator_optimizer, self._rules.generator)
        return Players(D, G)

    def _loss(self, player: PlayerName, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        loss = self._rules.loss(player)
        penalties = enumerate(self._rules.penalties)
        added = [(penalty, term, at) for at, penalty in penalties if (term := penalty.functions.get(player))]
        names = {*loss.names, *(name for _, term, _ in added for name in term.names)}
        with ExitStack() as stack:
            scope = self._scope(names, D, G, batch, stack)
            total = check_scalar(loss(scope), getattr(loss.function, "__name__", "function"), where=loss.where)
            for penalty, term, at in added:
                scope["memory"] = self.memory[at]
                value = check_scalar(term(scope), player, f"penalty {penalty.name}'s", term.where)
                # Lazy as in StyleGAN2 (Karras et al. 2020, arXiv:1912.04958, appendix B): only at every k-th step, but
                # k times as strong.
                once = value if penalty.every == 1 else penalty.every * (self._step % penalty.every == 0) * value
                total = total + once
        return total

    def _scope(
        self, names: set[str], at_D: Tensor | Player, at_G: Tensor | Player, batch: Batch, stack: ExitStack
    ) -> dict[str, Any]:
        """The values, by name, that a plugin's function may name; costly ones only if they are in ``names``.

        ``stack`` is closed when the function has returned: until then the players' weights can be asked for by name.
        """
        rules = self._rules
        theta = {
            "discriminator": at_D.theta if isinstance(at_D, Player) else at_D,
            "generator": at_G.theta if isinstance(at_G, Player) else at_G,
        }
        D = self._function("discriminator", theta, stack, partial(self._logits, theta["discriminator"], batch))
        G = self._function("generator", theta, stack, partial(self._samples, theta["generator"], batch))
        scope: dict[str, Any] = {"D": D, "G": G, "random": batch.random, "step": self._step}
        for part, player in rules.parts:
            scope[part] = self._function(player, theta, stack, part=part)
        if "z" in names:
            scope["z"] = batch.z
        if "label" in names:
            scope["label"] = batch.label
        if names & {"real", "d_real"}:
            scope["real"] = batch.real
        if names & {"fake", "d_fake"}:
            scope["fake"] = G(batch.z)
        if names & {"d_real", "d_fake"} and not rules.judges:
            raise PluginError("d_real and d_fake are one logit a sample, and this D judges more than samples alone")
        if "d_real" in names:
            scope["d_real"] = D(scope["real"])
        if "d_fake" in names:
            scope["d_fake"] = D(scope["fake"])
        return scope

    def _function(
        self,
        player: PlayerName,
        theta: dict[str, Tensor],
        stack: ExitStack,
        function: Callable[..., Any] | None = None,
        part: str = "",
    ) -> PlayerFunction:
        """A player, or a further network of one, as plugins are given it."""
        of_D = player == "discriminator"
        network, buffers = (
            (self._rules.discriminator, self._buffers[0]) if of_D else (self._rules.generator, self._buffers[1])
        )
        return PlayerFunction(
            function or partial(network.call, theta[player], buffers, part=part),
            network.network(part),
            network.module,
            partial(network.tensors, theta[player], buffers),
            stack,
        )

    def _logits(self, theta: Tensor, batch: Batch, *inputs: Tensor, **options: Any) -> Any:
        """D's logits in training, after the penalties that change D's inputs; (n, 1) becomes (n,), also in a tuple."""
        first, *more = self._with_label("D", batch, inputs, options)
        for penalty in self._rules.penalties:
            if change := penalty.functions.get("inputs"):
                changed = change({"x": first, "random": batch.random, "step": self._step})
                first = check_tensor(
                    changed, change, f"penalty {penalty.name}'s inputs() must return D's inputs, a tensor"
                )
        logits = self._rules.discriminator.call(theta, self._buffers[0], first, *more, **options)
        return _flat(logits) if isinstance(logits, Tensor) else tree_map(_flat, logits)

    def _samples(self, theta: Tensor, batch: Batch, *inputs: Tensor, **options: Any) -> Any:
        """What G makes of latents."""
        given = self._with_label("G", batch, inputs, options)
        return self._rules.generator.call(theta, self._buffers[1], *given, **options)

    def _with_label(
        self, player: str, batch: Batch, inputs: tuple[Tensor, ...], options: Mapping[str, Any]
    ) -> tuple[Tensor, ...]:
        """The inputs of a conditional player, D(x, y) or G(z, y): where a plugin gives no y, it is the batch's label.

        So real and generated samples of a batch have the same labels, row by row, and so have points between them.
        """
        if not self._rules.conditional or len(inputs) != 1 or "label" in options:
            return inputs
        label = batch.label
        if len(inputs[0]) != len(label):
            raise PluginError(
                f"{player} is called with {len(inputs[0])} inputs, and the batch has {len(label)} labels: conditional "
                f"networks need one for each input, {player}(x, label)"
            )
        return (*inputs, label)

    def remember(self, players: Players, batch: Batch) -> None:
        """Let the penalties remember what they need from a batch; ``discriminator_gradient`` calls this by itself."""
        memory = list(self.memory)
        for at, penalty in enumerate(self._rules.penalties):
            if remember := penalty.functions.get("remember"):
                with ExitStack() as stack:
                    scope = self._scope({*remember.names}, players.D, players.G, batch, stack)
                    after = remember(scope | {"memory": memory[at]})
                    memory[at] = check_memory(after, memory[at], penalty.name, remember.where)
        self.memory = tuple(memory)


def _flat(logits: Any) -> Any:
    one_each = isinstance(logits, Tensor) and logits.dim() > 1 and logits.shape[1:].numel() == 1
    return logits.flatten() if one_each else logits


def _advance(player: Player, gradient: Tensor, optimizer: BoundOptimizer, network: FlatNetwork) -> Player:
    t = player.t + 1
    scope = {"theta": player.theta, "gradient": gradient, "state": player.state, "t": t}
    scope |= {"shapes": network.shapes, "networks": network.networks}
    moved = optimizer(scope)
    theta, state = check_moved(moved, player, optimizer)
    return Player(theta, state, t)
