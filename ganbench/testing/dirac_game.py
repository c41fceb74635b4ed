"""Dirac-GAN as a game that can be played: the data is a point at 0, G = theta, D(x) = psi x + b.

After Mescheder et al. 2018, arXiv:1801.04406, section 2; b is the logit at which the loss's own discriminator rests
where both sides are the same, 0 for most, and is not trained.
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
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Architecture, Dataset, Networks, Player, Players, Update
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
    """The generator: theta, whatever the latent."""

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
    """The random numbers of a step, in float64, given or else invented; ``asked``: of what kinds and shapes."""

    def __init__(self, given: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self._draws = given
        self.asked: list[tuple[str, tuple[int, ...]]] = []

    def take(self, purpose: str, kind: str, shape: tuple[int, ...]) -> Tensor:
        """Zeros for the data, and for the latents, which do not matter."""
        if purpose in ("real", "latent"):
            return torch.zeros(shape, dtype=torch.float64)
        self.asked.append((kind, shape))
        return drawn(self.asked, 0)[-1] if self._draws is None else self._draws[len(self.asked) - 1]


def drawn(asked: Sequence[tuple[str, tuple[int, ...]]], step: int) -> list[Tensor]:
    """What is asked for, at one step."""
    return [fill(kind, shape, stream(step, f"dirac.{i}")).double() for i, (kind, shape) in enumerate(asked)]


class DiracState:
    """Where the game is: (psi, theta), the optimisers' states and what penalties remember."""

    def __init__(self, players: Players, memory: Memory) -> None:
        self.players = players
        self.memory = memory

    @property
    def at(self) -> Tensor:
        """(psi, theta)."""
        return torch.cat([player.theta for player in self.players])

    def moved(self, at: Tensor) -> DiracState:
        """The same elsewhere."""
        D, G = self.players
        return DiracState(Players(D._replace(theta=at[:1]), G._replace(theta=at[1:])), self.memory)


@dataclass(frozen=True)
class DiracGAN:
    """The game under a loss, penalties and an update rule, both players by plain gradient steps of ``rate``."""

    rules: Rules
    update: BoundFunction[Players]
    buffers: tuple[Buffers, Buffers]
    memory: Memory

    def begin(self, at: Any = START) -> DiracState:
        """The game at (psi, theta)."""
        psi, theta = torch.tensor(at, dtype=torch.float64).unbind()
        state = (torch.zeros(1, dtype=torch.float64),)
        zero = torch.zeros((), dtype=torch.float64)
        return DiracState(Players(Player(psi[None], state, zero), Player(theta[None], state, zero)), self.memory)

    def step(self, state: DiracState, index: Tensor | None = None, noise: DiracDraws | None = None) -> DiracState:
        """The game after one step of the update rule."""
        recorder = noise or DiracDraws()
        at = torch.tensor(0) if index is None else index
        game = StepGame(self.rules, self.buffers, recorder, at, functional_gradient, state.memory)
        with GlobalRngOverride(recorder):
            players = self.update({"game": game, "players": state.players})
        return DiracState(players, game.memory)

    def play(self, at: Any = START, steps: int = 500) -> Iterator[Tensor]:
        """(psi, theta) after each step. A step is recorded once, and then played again and again."""
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

    def matrix(self, at: Any = (0.0, 0.0)) -> Tensor:
        """The derivative of one step, (2, 2)."""
        state = self.begin(at)
        derivative: Tensor = torch.func.jacrev(lambda point: self.step(state.moved(point)).at)(state.at)
        return derivative


def game_of(
    variant: dict[str, Any], registry: Registry, *, rate: float = RATE, batch: int = 4, rest: bool = True
) -> DiracGAN:
    """The Dirac-GAN of a variant's loss, penalties and update rule; ``rest``: b is where the loss would have it."""
    own = replace(registry, entries=registry.entries + ENTRIES)
    chosen = {"architecture": NAME, "optimizer": {"name": "sgd", "lr": rate}} | variant
    at = position(chosen, own, data=NAME)
    choice = _choice(chosen.get("update", "simultaneous"))
    entry = registry.get("update", choice.pop("name"))
    assert isinstance(entry.value, Update)
    update = bind(entry.value.step, {each.name: each.default for each in entry.parameters} | choice)
    game = DiracGAN(replace(at.rules, batch=batch), update, at.buffers, at.memory)
    return replace(game, buffers=({"b": torch.tensor([_rest(game)]).double()}, {})) if rest else game


def resting(slope: Callable[[float], float]) -> float:
    """The logit at which D's loss neither rises nor falls; 0 where there is none."""
    if abs(slope(0.0)) < 1e-9:
        return 0.0
    low, high = slope(-10.0), slope(10.0)
    return float(brentq(slope, -10.0, 10.0)) if low < 0 < high else 0.0


def _rest(game: DiracGAN) -> float:
    """The logit at which D rests where real and fake samples are the same."""

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
