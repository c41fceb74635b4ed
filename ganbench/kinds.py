"""The typed values that plugins yield, one class a kind.

A function inside a value is *given what it names*: its positional parameters are filled by name from
what the engine has (the sets below), and nothing that is not named is computed. Its keyword-only
parameters are what a suite file may set; their defaults and annotations are the only declaration::

    def discriminator(d_real, d_fake, D, real, fake, random, *, penalty: float = 10.0):
        return d_fake.mean() - d_real.mean() + penalty * gradient_penalty(D, real, fake, random)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ganbench.column import Column

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ganbench.train.game import Game, Players

Number = float | int | bool | None
#: What a metric may say: a number, or words for a column of words.
Said = Number | str

#: What the functions of a loss may name. ``d_real``, ``d_fake``: logits, shape (batch,); ``D``, ``G``:
#: callables; ``real``, ``fake``: samples, shape (batch, *shape); ``z``: latents; ``random``: a source
#: of random numbers that belongs to this seed and step; ``step``: a scalar tensor, from 0.
LOSS_NAMES = frozenset({"d_real", "d_fake", "D", "G", "real", "fake", "z", "random", "step"})
#: What ``players`` of a loss may name. ``build(shape)``: the variant's architecture for data of a shape, as Networks;
#: ``shape``: of one sample; ``data(n)``: n samples of the data, (n, *shape).
PLAYERS_NAMES = frozenset({"build", "shape", "data"})
#: What a penalty may name besides: ``memory``, a tuple of scalars of its own; and its ``inputs`` and ``remember``.
PENALTY_NAMES = LOSS_NAMES | {"memory"}
INPUTS_NAMES = frozenset({"x", "random", "step"})
REMEMBER_NAMES = frozenset({"memory", "d_real", "d_fake", "step"})
ARCHITECTURE_NAMES = frozenset({"shape"})
DATASET_NAMES: frozenset[str] = frozenset()
UPDATE_NAMES = frozenset({"game", "players"})
OPTIMIZER_NAMES = frozenset({"theta", "gradient", "state", "t"})
#: What a reference may name. ``training``: (n, *shape), the points to fit; ``dataset``: the distribution they are
#: from; ``random``: a torch.Generator of its own.
REFERENCE_NAMES = frozenset({"training", "dataset", "random"})
#: What a metric may name. ``samples``, ``real``: (n, *shape), generated and held-out data; ``dataset``: the
#: distribution; ``d_real``, ``d_fake``: logits on them, (n,); ``loss``: the Loss; ``divergence``: the
#: ``ganbench.measure.divergence.Divergence`` of the samples, computed once for all metrics; ``training``: the fixed
#: points that data or reference are trained on; ``model``: what a reference has fitted; ``final``: whether it is the
#: seed's last evaluation. None where there is no such thing.
SEED_NAMES = frozenset(
    {"samples", "real", "dataset", "d_real", "d_fake", "loss", "divergence", "training", "model", "final"}
)
#: What a metric of the cell as a whole may name, and nothing else. ``speed``: a CellSpeed; ``cost``: a CellCost.
CELL_NAMES = frozenset({"speed", "cost"})
METRIC_NAMES = SEED_NAMES | CELL_NAMES


@runtime_checkable
class Distribution(Protocol):
    """What a dataset's factory returns: something that can be sampled without end.

    Three more are optional. ``log_density(x)``, (n, *shape) -> (n,) in float64 numpy: where it is exact, likelihoods
    are too. ``training`` and ``held_out``, tensors (n, *shape): data that is a finite set, and its part that is never
    trained on.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample, e.g. ``(2,)`` or ``(1, 28, 28)``."""
        ...

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` float32 samples, shape (n, *shape), on the generator's device, from it alone."""
        ...


@dataclass(frozen=True)
class Networks:
    """What an architecture's factory returns: two modules and the latent they start from.

    ``generator`` maps (batch, *latent) to (batch, *shape); ``discriminator`` maps (batch, *shape) to logits,
    shape (batch,) or (batch, 1). The latent is standard normal or uniform on (-1, 1). ``generator_parts`` and
    ``discriminator_parts``: further networks of either player, trained with it, by the names that a loss calls them.
    """

    generator: nn.Module
    discriminator: nn.Module
    latent: tuple[int, ...]
    latent_distribution: Literal["normal", "uniform"] = "normal"
    generator_parts: Mapping[str, nn.Module] = field(default_factory=dict)
    discriminator_parts: Mapping[str, nn.Module] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where the latent makes no sense."""
        if not isinstance(self.latent, tuple) or not all(isinstance(n, int) and n > 0 for n in self.latent):
            raise ValueError(f"latent must be a shape such as (2,), not {self.latent!r}")
        if self.latent_distribution not in ("normal", "uniform"):
            raise ValueError(f"latent_distribution must be 'normal' or 'uniform', not {self.latent_distribution!r}")


@dataclass(frozen=True)
class Loss:
    """A game's two losses, both minimised; each returns a scalar.

    ``probability``: sigmoid(D(x)) estimates p/(p+q) at the optimum (Goodfellow 2014, proposition 1), so
    mean D(real) and mean D(fake) may be reported as probabilities.

    ``project``: what becomes of the discriminator's parameters after each of its steps, theta -> theta. ``players``:
    for a method that is more than a loss, makes its networks: (build, shape, data) -> Networks; ``parts``: the names
    of those that it adds, which the functions may call.
    """

    name: str
    discriminator: Callable[..., Tensor]
    generator: Callable[..., Tensor]
    probability: bool = False
    project: Callable[..., Tensor] | None = None
    players: Callable[..., Networks] | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Penalty:
    """What composes with any loss: a scalar added to the discriminator's or the generator's.

    ``inputs(x, random, step)``: what D sees in place of x while training, in each call. ``memory``: the numbers that
    the penalty starts with; ``remember(memory, d_real, d_fake, step)``: the next ones, as many, after each gradient of
    the discriminator. The engine's own key ``every`` makes any penalty lazy.
    """

    name: str
    discriminator: Callable[..., Tensor] | None = None
    generator: Callable[..., Tensor] | None = None
    inputs: Callable[..., Tensor] | None = None
    memory: tuple[float, ...] = ()
    remember: Callable[..., tuple[Tensor, ...]] | None = None


@dataclass(frozen=True)
class Architecture:
    """A pair of networks for data of a given ``shape``."""

    name: str
    build: Callable[..., Networks]


@dataclass(frozen=True)
class Dataset:
    """A distribution with parameters."""

    name: str
    build: Callable[..., Distribution]


@dataclass(frozen=True)
class Update:
    """One generator step of the game: ``step(game, players) -> players``."""

    name: str
    step: Callable[[Game, Players], Players] | Callable[..., Players]


@dataclass(frozen=True)
class Optimizer:
    """A gradient step on one player's parameter vector.

    ``start(theta)`` gives the state, a tuple of tensors shaped as ``theta``; ``update(theta, gradient, state, t)``
    gives the next ``(theta, state)``; ``t`` counts this player's updates from 1 and is a scalar tensor.
    """

    name: str
    start: Callable[[Tensor], tuple[Tensor, ...]]
    update: Callable[..., tuple[Tensor, tuple[Tensor, ...]]]


@dataclass(frozen=True)
class Metric:
    """Numbers about one seed at one evaluation (or, where ``measure`` names ``speed`` or ``cost``, about the cell).

    ``at``: ``every`` evaluation, or, for what costs much, only at the ``end``: a seed's last. ``symmetric``: whether
    samples and held-out data may change places.
    """

    name: str
    measure: Callable[..., Mapping[str, Said]]
    columns: tuple[Column, ...]
    at: Literal["every", "end"] = "every"
    symmetric: bool = False


@dataclass(frozen=True)
class Reference:
    """A row that no game has trained: ``fit(training, dataset, random)`` gives the Distribution to score."""

    name: str
    fit: Callable[..., Distribution]


@dataclass(frozen=True)
class Kind:
    """How one kind of plugin is found and called: what each of its functions may name; some it may do without."""

    name: str
    value: type
    given: Mapping[str, frozenset[str]]
    optional: frozenset[str] = frozenset()

    @property
    def hook(self) -> str:
        """The hook that yields values of this kind."""
        return f"ganbench_{plural(self.name)}"


def plural(kind: str) -> str:
    """The plural of a kind's name, as folders and hooks use it."""
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return kind + ("es" if kind.endswith("s") else "s")


_LOSS = dict.fromkeys(("discriminator", "generator"), LOSS_NAMES)
_PENALTY = dict.fromkeys(("discriminator", "generator"), PENALTY_NAMES)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "loss",
            Loss,
            {**_LOSS, "project": frozenset({"theta"}), "players": PLAYERS_NAMES},
            optional=frozenset({"project", "players"}),
        ),
        Kind(
            "penalty",
            Penalty,
            {**_PENALTY, "inputs": INPUTS_NAMES, "remember": REMEMBER_NAMES},
            optional=frozenset({"discriminator", "generator", "inputs", "remember"}),
        ),
        Kind("architecture", Architecture, {"build": ARCHITECTURE_NAMES}),
        Kind("dataset", Dataset, {"build": DATASET_NAMES}),
        Kind("metric", Metric, {"measure": METRIC_NAMES}),
        Kind("update", Update, {"step": UPDATE_NAMES}),
        Kind("optimizer", Optimizer, {"update": OPTIMIZER_NAMES}),
        Kind("reference", Reference, {"fit": REFERENCE_NAMES}),
    )
}

Value = Loss | Penalty | Architecture | Dataset | Metric | Update | Optimizer | Reference
Parameters = Mapping[str, Any]
