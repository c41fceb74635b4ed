"""The typed values that plugins yield, one class a kind.

A function inside a value is *given what it names*: its positional parameters are filled by name from
what the engine has (the sets below), and nothing that is not named is computed. Its keyword-only
parameters are what a suite file may set; their defaults and annotations are the only declaration::

    def discriminator(d_real, d_fake, D, real, fake, random, *, penalty: float = 10.0):
        return d_fake.mean() - d_real.mean() + penalty * gradient_penalty(D, real, fake, random)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ganbench.train.game import Game, Players

Number = float | int | bool | None

#: Columns that the tables have for every run; no metric may use these names.
RESERVED_COLUMNS = (
    "dataset",
    "variant",
    "seed",
    "seeds",
    "status",
    "step",
    "done",
    "diverged",
    "failed",
    "engine",
    "message",
)

#: What the functions of a loss may name. ``d_real``, ``d_fake``: logits, shape (batch,); ``D``, ``G``:
#: callables; ``real``, ``fake``: samples, shape (batch, *shape); ``z``: latents; ``random``: a source
#: of random numbers that belongs to this seed and step; ``step``: a scalar tensor, from 0.
LOSS_NAMES = frozenset({"d_real", "d_fake", "D", "G", "real", "fake", "z", "random", "step"})
ARCHITECTURE_NAMES = frozenset({"shape"})
DATASET_NAMES: frozenset[str] = frozenset()
UPDATE_NAMES = frozenset({"game", "players"})
OPTIMIZER_NAMES = frozenset({"theta", "gradient", "state", "t"})
#: What a metric may name. ``samples``, ``real``: (n, *shape), generated and fresh data; ``dataset``: the
#: distribution; ``d_real``, ``d_fake``: logits on them, (n,); ``loss``: the Loss; ``speed``: a Speed.
METRIC_NAMES = frozenset({"samples", "real", "dataset", "d_real", "d_fake", "loss", "speed"})


@runtime_checkable
class Distribution(Protocol):
    """What a dataset's factory returns: something that can be sampled without end.

    ``log_density`` is optional: where it is exact, the divergences are too.
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
    shape (batch,) or (batch, 1). The latent is standard normal or uniform on (-1, 1).
    """

    generator: nn.Module
    discriminator: nn.Module
    latent: tuple[int, ...]
    latent_distribution: Literal["normal", "uniform"] = "normal"

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
    """

    name: str
    discriminator: Callable[..., Tensor]
    generator: Callable[..., Tensor]
    probability: bool = False


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
class Column:
    """One number of a metric, and how the seeds' values become one cell of the table.

    ``summary``: ``median`` (name, name_low, name_high: an exact 95 % interval of the median), ``share`` (of the
    seeds where it is true: name_share, name_low, name_high, Clopper-Pearson; the first step where it was true
    becomes first_<name>_step), ``same`` (one value for all seeds), ``none`` (kept in seeds.csv and curves.csv only).
    """

    name: str
    doc: str
    unit: str = ""
    better: Literal["lower", "higher", "neither"] = "neither"
    summary: Literal["median", "share", "same", "none"] = "median"

    @property
    def fills(self) -> tuple[str, ...]:
        """The names that the column fills in table.csv."""
        match self.summary:
            case "median":
                return (self.name, f"{self.name}_low", f"{self.name}_high")
            case "share":
                return (f"{self.name}_share", f"{self.name}_low", f"{self.name}_high", self.first)
            case "same":
                return (self.name,)
            case "none":
                return ()

    @property
    def first(self) -> str:
        """The name of the step at which a ``share`` column was first true."""
        return f"first_{self.name}_step"


def check_columns(columns: Iterable[Column]) -> None:
    """Raise ValueError where two columns, or a column and the tables themselves, would fill the same name."""
    columns = tuple(columns)
    in_table = [name for column in columns for name in column.fills]
    in_seeds = [column.name for column in columns] + [column.first for column in columns if column.summary == "share"]
    for names in (in_table, in_seeds):
        for name, count in Counter([*RESERVED_COLUMNS, *names]).items():
            if count > 1:
                raise ValueError(f"the column {name!r} would be filled twice in a table: rename the metric's column")


@dataclass(frozen=True)
class Metric:
    """Numbers about one seed at one evaluation (or, where ``measure`` names ``speed``, about the cell)."""

    name: str
    measure: Callable[..., Mapping[str, Number]]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Kind:
    """How one kind of plugin is found and called."""

    name: str
    value: type
    hook: str
    functions: tuple[str, ...]
    given: Mapping[str, frozenset[str]]


def _kind(name: str, value: type, functions: tuple[str, ...], given: frozenset[str]) -> Kind:
    return Kind(name, value, f"ganbench_{plural(name)}", functions, dict.fromkeys(functions, given))


def plural(kind: str) -> str:
    """The plural of a kind's name, as folders and hooks use it."""
    return kind + ("es" if kind.endswith("s") else "s")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("loss", Loss, ("discriminator", "generator"), LOSS_NAMES),
        _kind("architecture", Architecture, ("build",), ARCHITECTURE_NAMES),
        _kind("dataset", Dataset, ("build",), DATASET_NAMES),
        _kind("metric", Metric, ("measure",), METRIC_NAMES),
        _kind("update", Update, ("step",), UPDATE_NAMES),
        _kind("optimizer", Optimizer, ("update",), OPTIMIZER_NAMES),
    )
}

Value = Loss | Architecture | Dataset | Metric | Update | Optimizer
Parameters = Mapping[str, Any]
