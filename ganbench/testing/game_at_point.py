"""A game at one point: both players' parameters and a minibatch, in float64; a test may choose rows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import out_of_memory
from ganbench.core.rng import stream
from ganbench.plugin.played import Player, Players
from ganbench.plugin.registry import Registry
from ganbench.testing.checked_cell import BATCH, CPU, cell_of
from ganbench.train.build import build_networks, modules, rules
from ganbench.train.data import build_dataset, draw
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.flat_network import Buffers, buffers_of, flatten
from ganbench.train.step.game import Memory, StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import PlayerName, Rules


class Rows(DrawRecorder):
    """The random numbers of some rows of a batch of ``size``: the same row always has the same numbers."""

    def __init__(self, rows: Tensor, size: int, real: Tensor, z: Tensor) -> None:
        super().__init__()
        self._rows, self._size = rows, size
        self._given = {"real": real, "latent": z}
        self._asked = 0

    def take(self, purpose: str, kind: str, shape: tuple[int, ...], classes: int = 0) -> Tensor:
        """The numbers of the chosen rows; where there is one for each pack of rows, those of the packs.

        Args:
            purpose: what they are for; the data and the latents are given.
            kind: their distribution.
            shape: their shape.
            classes: of data with labels, how many classes there are; row by row they take turns.

        Returns:
            The numbers, of this shape.
        """
        if purpose in self._given:
            given = self._given[purpose][self._rows]
            return torch.cat([given.flatten(1), self._rows[:, None] % classes], 1) if classes else given
        self._asked += 1
        generator = stream(0, f"conformance.{self._asked}")
        rows, first = len(self._rows), shape[0] if shape else 0
        if not first or first == 1 < rows or (rows % first and first % rows):
            return self._like(fill(kind, shape, generator))
        if first >= rows:
            each = (first // rows, self._size, *shape[1:])
            return self._like(fill(kind, each, generator))[:, self._rows].reshape(shape)
        pack = rows // first
        drawn = self._like(fill(kind, (self._size // pack, *shape[1:]), generator))
        return drawn[self._rows[::pack] // pack]

    def _like(self, drawn: Tensor) -> Tensor:
        return drawn.to(self._given["real"].dtype)


@dataclass(frozen=True)
class Position:
    """Both players' parameters, (parameters,), the memory of penalties, and a minibatch."""

    rules: Rules
    buffers: tuple[Buffers, Buffers]
    theta: dict[PlayerName, Tensor]
    memory: Memory
    real: Tensor
    z: Tensor

    def game(self, rows: Tensor | None = None, rules: Rules | None = None, *, recorder: bool = False) -> StepGame:
        """The game on some rows of the minibatch.

        Args:
            rows: the indices of the rows, in any order and number; all rows by default.
            rules: other rules than the position's own.
            recorder: whether gradients are computed by ``torch.autograd`` and not by ``torch.func``.

        Returns:
            The game.
        """
        own = rules or self.rules
        rows = torch.arange(len(self.real)) if rows is None else rows
        source = Rows(rows, len(self.real), self.real, self.z)
        gradient = autograd_gradient if recorder else functional_gradient
        return StepGame(replace(own, batch=len(rows)), self.buffers, source, torch.tensor(0), gradient, self.memory)

    def single(self) -> Position:
        """The same position in float32, the type of training."""

        def single(tree: Any) -> Any:
            return torch.utils._pytree.tree_map(lambda x: x.float() if x.is_floating_point() else x, tree)

        own = {name: single(getattr(self, name)) for name in ("buffers", "theta", "memory", "real", "z")}
        return replace(self, **own)

    def players(self) -> Players:
        """The players as an update rule gets them, with optimisers that have no state."""
        return Players(*(Player(self.theta[player], (), torch.zeros(())) for player in ("discriminator", "generator")))

    def loss(
        self,
        player: PlayerName,
        *,
        rows: Tensor | None = None,
        rules: Rules | None = None,
        at: Tensor | None = None,
    ) -> Tensor:
        """One player's loss, with its penalties.

        Args:
            player: the player.
            rows: the rows of the minibatch, as for ``game``.
            rules: other rules, as for ``game``.
            at: other parameters of this player, (parameters,).

        Returns:
            The loss, a scalar.
        """
        own = self.theta[player] if at is None else at
        # A loss may ask for the gradient of what it is given, by a hook: it has one, as in training.
        plain = not (own.requires_grad or torch._C._functorch.is_functorch_wrapped_tensor(own))
        theta = {**self.theta, player: own.detach().requires_grad_() if plain else own}
        game = self.game(rows, rules)
        compute = game.discriminator_loss if player == "discriminator" else game.generator_loss
        with with_global_rng(game):
            value = compute(theta["discriminator"], theta["generator"], game.draw())
        return value.detach() if plain else value

    def gradient(self, player: PlayerName, value: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """The gradient of ``value``, or of one player's loss, with respect to that player's parameters."""
        function = value or (lambda theta: self.loss(player, at=theta))
        try:
            return functional_gradient(function, self.theta[player])[0]
        except Exception as error:
            if out_of_memory(error):
                raise
            return autograd_gradient(function, self.theta[player])[0]


@contextmanager
def with_global_rng(game: StepGame) -> Iterator[None]:
    """Inside the block, code that draws from torch's global generator gets the game's own numbers, as in training."""
    with GlobalRngOverride(game.draw().random):
        yield


def position(variant: dict[str, Any], registry: Registry, *, data: Any = None) -> Position:
    """A variant's game at its initial parameters.

    Args:
        variant: the parts of the variant, as for ``cell_of``.
        registry: the plugins.
        data: the dataset, as for ``cell_of``.

    Returns:
        The position.

    Raises:
        SuiteError: the variant has mistakes.
        PluginError: a plugin's code failed.
    """
    cell = cell_of(variant, registry, data=data)
    assert cell.trained is not None
    dataset = build_dataset(cell.data)
    (networks,) = build_networks(cell.trained, dataset, cell.seeds)
    own = rules(cell, cell.trained, dataset, networks, CPU)
    D, G = modules(networks)
    buffers = tuple({name: _double(each) for name, each in buffers_of(module).items()} for module in (D, G))
    latent = fill(own.latent_kind, (BATCH, *own.latent), stream(0, "conformance.z"))
    return Position(
        rules=own,
        buffers=(buffers[0], buffers[1]),
        theta={"discriminator": flatten(D).double(), "generator": flatten(G).double()},
        memory=tuple(tuple(torch.tensor(number).double() for number in each.memory) for each in own.penalties),
        real=mirrored(draw(dataset, BATCH // 2, stream(0, "conformance.real")).double()),
        z=latent.double(),
    )


def mirrored(x: Tensor) -> Tensor:
    """A batch and its mirror image through its mean: both halves have the same mean and spread."""
    return torch.cat([x, 2 * x.mean(0) - x])


def _double(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor
