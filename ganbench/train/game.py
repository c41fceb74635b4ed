"""The game of two players, as an update rule sees it: draw a batch, take gradients, move the players.

min over G, max over D of V(D, G) (Goodfellow et al. 2014, equation 1), with each side's loss as its plugin has it.
Everything here is written for one model; the engine runs it for many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganbench.calling import Bound, bind
from ganbench.failure import PluginError
from ganbench.kinds import Loss, Optimizer
from ganbench.train.check import check_scalar
from ganbench.train.network import Buffers, Network
from ganbench.train.noise import Tape


class Player(NamedTuple):
    """One player: its parameters (parameters,), its optimiser's state, and how many updates it has made."""

    theta: Tensor
    state: tuple[Tensor, ...]
    t: Tensor


class Players(NamedTuple):
    """The discriminator and the generator."""

    D: Player
    G: Player


class Batch:
    """A fresh minibatch; ``real`` and ``z`` are drawn when first asked for, so an unused one costs nothing."""

    def __init__(
        self, tape: Tape, size: int, shape: tuple[int, ...], latent: tuple[int, ...], latent_kind: str
    ) -> None:
        self.random = tape
        self._sizes = ((size, *shape), (size, *latent), latent_kind)
        self._real: Tensor | None = None
        self._z: Tensor | None = None

    @property
    def real(self) -> Tensor:
        """Samples of the data, (batch, *shape)."""
        if self._real is None:
            self._real = self.random.take("real", "real", self._sizes[0])
        return self._real

    @property
    def z(self) -> Tensor:
        """Latents, (batch, *latent)."""
        if self._z is None:
            self._z = self.random.take("latent", self._sizes[2], self._sizes[1])
        return self._z


@dataclass(frozen=True)
class Rules:
    """What stays the same from step to step: the networks' structure, the losses and the optimisers, bound."""

    discriminator: Network
    generator: Network
    discriminator_loss: Bound[Tensor]
    generator_loss: Bound[Tensor]
    discriminator_optimizer: Bound[tuple[Tensor, tuple[Tensor, ...]]]
    generator_optimizer: Bound[tuple[Tensor, tuple[Tensor, ...]]]
    batch: int
    shape: tuple[int, ...]
    latent: tuple[int, ...]
    latent_kind: str


def bind_loss(loss: Loss, parameters: Mapping[str, Any]) -> tuple[Bound[Tensor], Bound[Tensor]]:
    """The two functions of a loss with their parameters: (discriminator's, generator's)."""
    return bind(loss.discriminator, parameters), bind(loss.generator, parameters)


def bind_optimizer(optimizer: Optimizer, parameters: Mapping[str, Any]) -> Bound[tuple[Tensor, tuple[Tensor, ...]]]:
    """An optimiser's update with its parameters."""
    return bind(optimizer.update, parameters)


Gradient = Callable[[Callable[[Tensor], Tensor], Tensor], tuple[Tensor, Tensor]]


def functional_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """(gradient, value) by torch.func: can be batched over replicas, compiled and nested."""
    gradient, value = torch.func.grad_and_value(function)(theta)
    return gradient, value


def autograd_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """(gradient, value) by the autograd tape: for one model at a time, where a plugin uses the tape itself."""
    leaf = theta.detach().requires_grad_()
    value = function(leaf)
    (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True, materialize_grads=True)
    return gradient, value.detach()


class Game:
    """One step's view of the game, given to an update rule."""

    def __init__(
        self, rules: Rules, buffers: tuple[Buffers, Buffers], tape: Tape, step: Tensor, gradient: Gradient
    ) -> None:
        self._rules = rules
        self._buffers = buffers
        self._tape = tape
        self._step = step
        self._gradient = gradient
        #: What was computed on the way: each loss's value, and each player's gradients.
        self.values: list[Tensor] = []
        self.gradients: list[tuple[str, Tensor]] = []

    def draw(self) -> Batch:
        """A fresh minibatch of data and latents."""
        rules = self._rules
        return Batch(self._tape, rules.batch, rules.shape, rules.latent, rules.latent_kind)

    def discriminator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The discriminator's loss, a scalar, at the parameters (D, G): vectors, or the players themselves."""
        return self._loss(self._rules.discriminator_loss, D, G, batch)

    def generator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The generator's loss, a scalar, at the parameters (D, G): vectors, or the players themselves."""
        return self._loss(self._rules.generator_loss, D, G, batch)

    def discriminator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the discriminator's loss with respect to its own parameters."""
        G = players.G.theta
        gradient, value = self._gradient(lambda D: self.discriminator_loss(D, G, batch), players.D.theta)
        self.values.append(value)
        self.gradients.append(("discriminator", gradient))
        return gradient

    def generator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the generator's loss with respect to its own parameters."""
        D = players.D.theta
        gradient, value = self._gradient(lambda G: self.generator_loss(D, G, batch), players.G.theta)
        self.values.append(value)
        self.gradients.append(("generator", gradient))
        return gradient

    def move(
        self, players: Players, *, discriminator: Tensor | None = None, generator: Tensor | None = None
    ) -> Players:
        """Let each player whose gradient is given make one step with its optimiser."""
        D, G = players
        if discriminator is not None:
            D = _advance(D, discriminator, self._rules.discriminator_optimizer)
        if generator is not None:
            G = _advance(G, generator, self._rules.generator_optimizer)
        return Players(D, G)

    def _loss(self, loss: Bound[Tensor], at_D: Tensor | Player, at_G: Tensor | Player, batch: Batch) -> Tensor:
        rules = self._rules
        theta_D, theta_G = (at.theta if isinstance(at, Player) else at for at in (at_D, at_G))
        names = loss.names
        D = partial(_logits, rules.discriminator, theta_D, self._buffers[0])
        G = partial(rules.generator.call, theta_G, self._buffers[1])
        scope: dict[str, Any] = {"D": D, "G": G, "random": batch.random, "step": self._step}
        if "z" in names:
            scope["z"] = batch.z
        if "real" in names or "d_real" in names:
            scope["real"] = batch.real
        if "fake" in names or "d_fake" in names:
            scope["fake"] = G(batch.z)
        if "d_real" in names:
            scope["d_real"] = D(scope["real"])
        if "d_fake" in names:
            scope["d_fake"] = D(scope["fake"])
        return check_scalar(loss(scope), getattr(loss.function, "__name__", "function"))


def _logits(network: Network, theta: Tensor, buffers: Buffers, x: Tensor) -> Tensor:
    return network.call(theta, buffers, x).reshape(x.shape[0])


def _advance(player: Player, gradient: Tensor, optimizer: Bound[tuple[Tensor, tuple[Tensor, ...]]]) -> Player:
    t = player.t + 1
    moved = optimizer({"theta": player.theta, "gradient": gradient, "state": player.state, "t": t})
    if not isinstance(moved, tuple) or len(moved) != 2 or not isinstance(moved[1], tuple):
        raise PluginError("an optimizer's update() must return (theta, state), and state must be a tuple")
    theta, state = moved
    shapes = [tensor.shape for tensor in (theta, *state)]
    if shapes != [tensor.shape for tensor in (player.theta, *player.state)]:
        raise PluginError("an optimizer's update() must return a theta and a state of the shapes that it was given")
    return Player(theta, state, t)
