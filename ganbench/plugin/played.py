"""The game that is played, as losses, update rules and penalties see it: players, batches, gradients, moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class RandomSource(Protocol):
    """The random numbers of one seed and one step, given as ``random``: ``random.uniform(n)``."""

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        ...

    def uniform(self, *shape: int) -> Tensor:
        """Numbers uniform on [0, 1)."""
        ...


class Player(NamedTuple):
    """One player: its parameters (parameters,), its optimiser's state, and how many updates it has made."""

    theta: Tensor
    state: tuple[Tensor, ...]
    t: Tensor


class Players(NamedTuple):
    """The discriminator and the generator."""

    D: Player
    G: Player


class Batch(Protocol):
    """A minibatch; each part is drawn only when it is used."""

    @property
    def random(self) -> RandomSource:
        """Further random numbers of the step."""
        ...

    @property
    def real(self) -> Tensor:
        """Samples of the data, (batch, *shape)."""
        ...

    @property
    def label(self) -> Tensor:
        """The classes of the samples of the data, and those that G is asked for, (batch,), int64."""
        ...

    @property
    def z(self) -> Tensor:
        """Latents, (batch, *latent)."""
        ...


class Game(Protocol):
    """One step of the game, as an update rule gets it: draw a batch, take gradients, move the players."""

    def draw(self) -> Batch:
        """A fresh minibatch of data and latents."""
        ...

    def discriminator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The discriminator's loss at given parameters.

        Args:
            D: the discriminator's parameters, (parameters,), or the player itself.
            G: the generator's parameters, (parameters,), or the player itself.
            batch: the minibatch.

        Returns:
            The loss, a scalar.
        """
        ...

    def generator_loss(self, D: Tensor | Player, G: Tensor | Player, batch: Batch) -> Tensor:
        """The generator's loss at given parameters.

        Args:
            D: the discriminator's parameters, (parameters,), or the player itself.
            G: the generator's parameters, (parameters,), or the player itself.
            batch: the minibatch.

        Returns:
            The loss, a scalar.
        """
        ...

    def discriminator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the discriminator's loss with respect to its own parameters."""
        ...

    def generator_gradient(self, players: Players, batch: Batch) -> Tensor:
        """The gradient of the generator's loss with respect to its own parameters."""
        ...

    def gradient(
        self, player: Literal["discriminator", "generator"], function: Callable[[Tensor], Tensor], theta: Tensor
    ) -> Tensor:
        """The gradient of a function; where it is not finite the seed has diverged.

        Args:
            player: the player whose gradient it is.
            function: a function of a vector, (parameters,), to a scalar; inside it use ``torch.func.grad``.
            theta: the point of the gradient, (parameters,).

        Returns:
            The gradient, (parameters,).
        """
        ...

    def remember(self, players: Players, batch: Batch) -> None:
        """Update the memory of the penalties from a batch; ``discriminator_gradient`` does this itself."""
        ...

    def move(
        self, players: Players, *, discriminator: Tensor | None = None, generator: Tensor | None = None
    ) -> Players:
        """Let each player whose gradient is given make one step with its optimiser.

        Args:
            players: the players before the step.
            discriminator: the discriminator's gradient, (parameters,); without it the player stays.
            generator: the generator's gradient, (parameters,); without it the player stays.

        Returns:
            The players after the step.
        """
        ...
