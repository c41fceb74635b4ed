"""Dirac-GAN as a game that can be played: the data is a point at 0, G = theta, D(x) = psi x + b.

After Mescheder et al. 2018, arXiv:1801.04406, section 2. b is not trained: it is the logit at which the discriminator
of the loss is at rest where real and generated samples are the same; for most losses it is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from scipy.optimize import brentq
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ganbench.core.rng import stream
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.entry import Entry
from ganbench.plugin.played import Player, Players
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Architecture, Dataset, Networks, Update
from ganbench.testing.checked_cell import CHECK
from ganbench.testing.game_at_point import position
from ganbench.train.engine.graph import record
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.flat_network import Buffers
from ganbench.train.step.game import Memory, StepGame, functional_gradient
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.rules import Rules

NAME = "dirac-gan"
#: The step of the paper's experiments, and the point that they start from; its D has the other sign.
RATE = 0.2
START = (-1.0, 1.0)


class DiracPoint:
    """The data: a point mass at 0."""

    shape = (1,)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Zeros, (n, 1)."""
        return torch.zeros(n, 1, device=generator.device)


class Here(nn.Module):
    """The generator: its output is theta for every latent."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor) -> Tensor:
        """Theta for each latent, (n, 1)."""
        return self.theta.expand(z.shape[0], 1)


class Line(nn.Module):
    """The discriminator: psi x + b."""

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.ones(1))
        self.b: Tensor
        self.register_buffer("b", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """The logits, (n, 1)."""
        return self.psi * x + self.b


class DiracDraws(DrawRecorder):
    """The random numbers of a step, in float64: given ones, or else fixed ones; ``asked``: their kinds and shapes."""

    def __init__(self, given: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self._draws = given
        self.asked: list[tuple[str, tuple[int, ...]]] = []

    def take(self, purpose: str, kind: str, shape: tuple[int, ...], classes: int = 0) -> Tensor:
        """The next random numbers.

        Args:
            purpose: what they are for; for the data and the latents, which do not matter, they are zeros.
            kind: their distribution.
            shape: their shape.
            classes: of data with labels, how many classes there are; the label is 0.

        Returns:
            The numbers, float64, of this shape.
        """
        if purpose in ("real", "latent"):
            return torch.zeros(shape, dtype=torch.float64)
        self.asked.append((kind, shape))
        return drawn(self.asked, 0)[-1] if self._draws is None else self._draws[len(self.asked) - 1]


def drawn(asked: Sequence[tuple[str, tuple[int, ...]]], step: int) -> list[Tensor]:
    """The random numbers of these kinds and shapes at one step."""
    return [fill(kind, shape, stream(step, f"dirac.{i}")).double() for i, (kind, shape) in enumerate(asked)]


class DiracState:
    """The state of the game: (psi, theta), the optimisers' states and the memory of penalties."""

    def __init__(self, players: Players, memory: Memory) -> None:
        self.players = players
        self.memory = memory

    @property
    def at(self) -> Tensor:
        """(psi, theta)."""
        return torch.cat([player.theta for player in self.players])

    def moved(self, at: Tensor) -> DiracState:
        """The same state at other parameters (psi, theta)."""
        D, G = self.players
        return DiracState(Players(D._replace(theta=at[:1]), G._replace(theta=at[1:])), self.memory)


@dataclass(frozen=True)
class DiracGAN:
    """The game with a loss, penalties and an update rule; both players make plain gradient steps."""

    rules: Rules
    update: BoundFunction[Players]
    buffers: tuple[Buffers, Buffers]
    memory: Memory

    def begin(self, at: Any = START) -> DiracState:
        """The state of the game at the start, (psi, theta)."""
        psi, theta = torch.tensor(at, dtype=torch.float64).unbind()
        state = (torch.zeros(1, dtype=torch.float64),)
        zero = torch.zeros((), dtype=torch.float64)
        return DiracState(Players(Player(psi[None], state, zero), Player(theta[None], state, zero)), self.memory)

    def step(self, state: DiracState, index: Tensor | None = None, noise: DiracDraws | None = None) -> DiracState:
        """The state after one step of the update rule.

        Args:
            state: the state before.
            index: the number of the step, a scalar tensor; 0 by default.
            noise: the random numbers of the step; fixed ones by default.

        Returns:
            The state after the step.
        """
        recorder = noise or DiracDraws()
        at = torch.tensor(0) if index is None else index
        game = StepGame(self.rules, self.buffers, recorder, at, functional_gradient, state.memory)
        with GlobalRngOverride(recorder):
            players = self.update({"game": game, "players": state.players})
        return DiracState(players, game.memory)

    def play(self, at: Any = START, steps: int = 500) -> Iterator[Tensor]:
        """(psi, theta) after each step. The step is recorded once as a graph, and the graph is run at each step."""
        state = self.begin(at)
        asked = self.noise
        leaves, structure = tree_flatten((state.players, state.memory))

        def flat(*tensors: Tensor) -> Any:
            before = DiracState(*tree_unflatten(list(tensors[: len(leaves)]), structure))
            after = self.step(before, tensors[-1], DiracDraws(tensors[len(leaves) : -1]))
            return tree_flatten((after.players, after.memory))[0]

        graph = record(flat, [*leaves, *drawn(asked, 0), torch.tensor(0)], cpu=False)
        for index in range(steps):
            leaves = graph(*leaves, *drawn(asked, index), torch.tensor(index))
            yield DiracState(*tree_unflatten(list(leaves), structure)).at

    @property
    def noise(self) -> list[tuple[str, tuple[int, ...]]]:
        """The random numbers that a step draws besides the minibatch: their kinds and shapes."""
        noise = DiracDraws()
        self.step(self.begin(), noise=noise)
        return noise.asked

    def matrix(self, at: Any = (0.0, 0.0), draws: int = 0) -> Tensor:
        """The derivative of a step with respect to (psi, theta), (2, 2); ``draws``: the step whose numbers it draws."""
        state, asked = self.begin(at), self.noise if draws else []

        def step(point: Tensor) -> Tensor:
            return self.step(state.moved(point), noise=DiracDraws(drawn(asked, draws)) if draws else None).at

        derivative: Tensor = torch.func.jacrev(step)(state.at)
        return derivative

    @property
    def steady(self) -> bool:
        """Whether a step near the equilibrium, and its derivative there, are the same whatever it draws."""
        if not self.noise:
            return True
        moves = self.step(self.begin((0.0, 0.0))).at.norm() > 1e-9
        return not moves and torch.allclose(self.matrix(), self.matrix(draws=1), rtol=1e-9, atol=1e-12, equal_nan=True)


def game_of(
    variant: dict[str, Any], registry: Registry, *, rate: float = RATE, batch: int = 4, rest: bool = True
) -> DiracGAN:
    """The Dirac-GAN with a variant's loss, penalties and update rule.

    Args:
        variant: the parts of the variant, as in a suite.
        registry: the plugins.
        rate: the length of a gradient step.
        batch: the samples of a minibatch.
        rest: whether b is the logit at which the loss's discriminator is at rest; otherwise it is 0.

    Returns:
        The game.
    """
    own = replace(registry, entries=registry.entries + ENTRIES)
    chosen = {"architecture": NAME, "optimizer": {**CHECK["optimizer"], "lr": rate}} | variant
    at = position(chosen, own, data=NAME)
    choice = _choice(chosen.get("update", CHECK["at_once"]))
    entry = registry.get("update", choice.pop("name"))
    assert isinstance(entry.value, Update)
    update = bind(entry.value.step, {each.name: each.default for each in entry.parameters} | choice)
    game = DiracGAN(replace(at.rules, batch=batch), update, at.buffers, at.memory)
    return replace(game, buffers=({"b": torch.tensor([_rest(game)]).double()}, {})) if rest else game


def resting(slope: Callable[[float], float]) -> float:
    """The logit at which the slope of D's loss is 0; 0 where there is none."""
    if abs(slope(0.0)) < 1e-9:
        return 0.0
    low, high = slope(-10.0), slope(10.0)
    return float(brentq(slope, -10.0, 10.0)) if low < 0 < high else 0.0


def _rest(game: DiracGAN) -> float:
    """The logit at which D is at rest where real and generated samples are the same."""

    def slope(b: float) -> float:
        def loss(b: Tensor) -> Tensor:
            own = StepGame(game.rules, ({"b": b}, {}), DiracDraws(), torch.tensor(0), functional_gradient, game.memory)
            zero = torch.zeros(1, dtype=torch.float64)
            with GlobalRngOverride(DiracDraws()):
                return own.discriminator_loss(zero, zero, own.draw())

        return float(torch.func.grad(loss)(torch.tensor([b], dtype=torch.float64)))

    return resting(slope)


def _choice(given: Any) -> dict[str, Any]:
    return {"name": given} if isinstance(given, str) else dict(given)


def _networks(shape: tuple[int, ...]) -> Networks:
    return Networks(Here(), Line(), latent=(1,))


def _entry(kind: str, value: Any) -> Entry:
    return Entry(kind, NAME, value, "ganbench.testing.dirac", "kit", "", "", ())


ENTRIES = (_entry("dataset", Dataset(NAME, DiracPoint)), _entry("architecture", Architecture(NAME, _networks)))
