"""A game at one point: both players' parameters and a minibatch, in float64; a test may choose rows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import out_of_memory
from ganbench.core.rng import stream
from ganbench.plugin.registry import Registry
from ganbench.plugin.shipped import chosen
from ganbench.plugin.types import Player, Players
from ganbench.suite.load import parse
from ganbench.suite.plan import Cell, plan
from ganbench.testing.result import Subject
from ganbench.train.build import build_networks, modules, rules
from ganbench.train.data import build_dataset, draw
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.flat_network import Buffers, FlatNetwork, buffers_of, flatten
from ganbench.train.step.game import Memory, StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import PlayerName, Rules

CPU = torch.device("cpu")
#: Divisible by the sizes of packs.
BATCH = 24
#: The plugins that what is checked plays with.
CHECK = chosen().check


def cell_of(variant: dict[str, Any], registry: Registry, *, data: Any = None, **suite: Any) -> Cell:
    """The cell of a variant, as a suite defines it.

    Args:
        variant: the parts of the variant, as in a suite; missing parts are small defaults.
        registry: the plugins.
        data: the dataset, as in a suite; a ring by default.
        **suite: other keys of the suite.

    Returns:
        The cell.

    Raises:
        SuiteError: the suite has mistakes.
    """
    document = {
        "suite": "conformance",
        "seeds": [0],
        "budget": {"steps": 100, "batch": BATCH},
        "evaluate": {"samples": 500},
        "datasets": {"data": data or CHECK["dataset"]},
        "variants": {"it": {part: CHECK[part] for part in ("loss", "architecture")} | variant},
        "references": [],
    } | suite
    return next(cell for cell in plan(parse(json.dumps(document), registry)) if cell.trained)


def variant_of(subject: Subject) -> dict[str, Any]:
    """The part of a variant that names the plugin with the subject's parameters, as in a suite."""
    chosen = {"name": subject.entry.name, **subject.parameters}
    if subject.entry.kind == "schedule":
        return {"optimizer": {**CHECK["optimizer"], "schedule": chosen}}
    return {subject.entry.kind: chosen}


class Rows(DrawRecorder):
    """The random numbers of some rows of a batch of ``size``: the same row always has the same numbers."""

    def __init__(self, rows: Tensor, size: int, real: Tensor, z: Tensor) -> None:
        super().__init__()
        self._rows, self._size = rows, size
        self._given = {"real": real, "latent": z}
        self._asked = 0

    def take(self, purpose: str, kind: str, shape: tuple[int, ...]) -> Tensor:
        """The numbers of the chosen rows; where there is one for each pack of rows, those of the packs.

        Args:
            purpose: what they are for; the data and the latents are given.
            kind: their distribution.
            shape: their shape.

        Returns:
            The numbers, of this shape.
        """
        if purpose in self._given:
            return self._given[purpose][self._rows]
        self._asked += 1
        generator = stream(0, f"conformance.{self._asked}")
        rows, first = len(self._rows), shape[0] if shape else 0
        if not first or (rows % first and first % rows):
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
        theta = self.theta if at is None else {**self.theta, player: at}
        game = self.game(rows, rules)
        compute = game.discriminator_loss if player == "discriminator" else game.generator_loss
        with with_global_rng(game):
            return compute(theta["discriminator"], theta["generator"], game.draw())

    def gradient(self, player: PlayerName, value: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """The gradient of ``value``, or of one player's loss, with respect to that player's parameters."""
        function = value or (lambda theta: self.loss(player, at=theta))
        try:
            return functional_gradient(function, self.theta[player])[0]
        except Exception as error:
            if out_of_memory(error):
                raise
            return autograd_gradient(function, self.theta[player])[0]


class Sure(FlatNetwork):
    """A discriminator whose logits are scaled, so that the largest of each call is ``logit``."""

    def __init__(self, module: torch.nn.Module, logit: float) -> None:
        super().__init__(module)
        self._logit = logit

    def call(self, *arguments: Any, part: str = "", **options: Any) -> Any:
        """The network's output, scaled where it is logits.

        Args:
            *arguments: as for ``FlatNetwork.call``.
            part: as for ``FlatNetwork.call``; the output of a part is not scaled.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The output.
        """
        output: Any = super().call(*arguments, part=part, **options)
        if part or not isinstance(output, Tensor):
            return output
        flat = output.detach().flatten()
        largest = flat.gather(0, flat.abs().argmax(0, keepdim=True))
        return output * (self._logit / largest)


class Flat(FlatNetwork):
    """A discriminator whose logits are 0 everywhere: its slope is exactly 0, as a ReLU network's can be at a point."""

    def call(self, *arguments: Any, part: str = "", **options: Any) -> Any:
        """The network's output times 0.

        Args:
            *arguments: as for ``FlatNetwork.call``.
            part: as for ``FlatNetwork.call``; the output of a part is the network's own.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The output.
        """
        output: Any = super().call(*arguments, part=part, **options)
        return output if part or not isinstance(output, Tensor) else 0 * output


class Sides(FlatNetwork):
    """A discriminator with two logits: the first for inputs nearest to a real sample, the other to a fake one."""

    def __init__(self, at: Position, logits: tuple[float, float]) -> None:
        super().__init__(at.rules.discriminator.module)
        self._logits = logits
        fake = at.rules.generator.call(at.theta["generator"], at.buffers[1], at.z)
        self._real, self._fake = (x.detach().flatten(1) for x in (at.real, fake))

    def call(self, theta: Tensor, buffers: Buffers, *inputs: Tensor, part: str = "", **options: Any) -> Any:
        """A logit for each sample, which does not depend on the parameters.

        Args:
            theta: as for ``FlatNetwork.call``.
            buffers: as for ``FlatNetwork.call``.
            *inputs: the samples, (batch, *shape), first.
            part: as for ``FlatNetwork.call``; the output of a part is the network's own.
            **options: as for ``FlatNetwork.call``.

        Returns:
            The logits, (batch,).
        """
        output: Any = super().call(theta, buffers, *inputs, part=part, **options)
        if part or not isinstance(output, Tensor):
            return output
        x = inputs[0].detach().flatten(1)
        real = torch.cdist(x, self._real).amin(1) <= torch.cdist(x, self._fake).amin(1)
        return 0 * output.flatten() + torch.where(real, *self._logits).to(x.dtype)


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
