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
#: What a metric may say: a number, or words for a column of words.
Said = Number | str

#: Columns that the tables have for every run; no metric may use these names.
RESERVED_COLUMNS = (
    "dataset",
    "variant",
    "family",
    "reference",
    "seed",
    "seeds",
    "status",
    "step",
    "done",
    "diverged",
    "failed",
    "engine",
    "arithmetic",
    "message",
    "note",
    "verdict",
    "verdict_reason",
    "verdicts",
)

#: What the functions of a loss may name. ``d_real``, ``d_fake``: logits, shape (batch,); ``D``, ``G``:
#: callables; ``real``, ``fake``: samples, shape (batch, *shape); ``z``: latents; ``random``: a source
#: of random numbers that belongs to this seed and step; ``step``: a scalar tensor, from 0.
LOSS_NAMES = frozenset({"d_real", "d_fake", "D", "G", "real", "fake", "z", "random", "step"})
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

    ``summary``: ``median`` (name, name_low, name_high: an exact 95 % interval of the median; where there is a better
    side also name_iqm, the interquartile mean with its interval, and name_detectable, the smallest difference that the
    seeds could have seen), ``share`` (of the seeds where it is held to the end: name_share, name_low, name_high,
    Clopper-Pearson; with the medians of first_<name>_step, held_<name>_step and <name>_departures), ``same`` (one value
    for all seeds), ``words`` (text, said with how many seeds say it), ``none`` (kept in seeds.csv and curves.csv only).
    """

    name: str
    doc: str
    unit: str = ""
    better: Literal["lower", "higher", "neither"] = "neither"
    summary: Literal["median", "share", "same", "words", "none"] = "median"

    @property
    def fills(self) -> tuple[str, ...]:
        """The names that the column fills in table.csv."""
        match self.summary:
            case "median" if self.better != "neither":
                return (*_ends(self.name), *_ends(f"{self.name}_iqm"), f"{self.name}_detectable")
            case "median":
                return _ends(self.name)
            case "share":
                share = (f"{self.name}_share", f"{self.name}_low", f"{self.name}_high")
                return (*share, *_ends(self.first), *_ends(self.held), *_ends(self.departures))
            case "same" | "words":
                return (self.name,)
            case "none":
                return ()

    @property
    def of_seed(self) -> tuple[str, ...]:
        """The names that the column fills in seeds.csv and curves.csv."""
        return (self.name, self.first, self.held, self.departures) if self.summary == "share" else (self.name,)

    @property
    def first(self) -> str:
        """The name of the step at which a ``share`` column was first true."""
        return f"first_{self.name}_step"

    @property
    def held(self) -> str:
        """The name of the step from which a ``share`` column was true at five evaluations in a row."""
        return f"held_{self.name}_step"

    @property
    def departures(self) -> str:
        """The name of how often a ``share`` column, once true, became false again."""
        return f"{self.name}_departures"


def _ends(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high")


def check_columns(columns: Iterable[Column]) -> None:
    """Raise ValueError where two columns, or a column and the tables themselves, would fill the same name."""
    columns = tuple(columns)
    in_table = [name for column in columns for name in column.fills]
    in_seeds = [name for column in columns for name in column.of_seed]
    for names in (in_table, in_seeds):
        for name, count in Counter([*RESERVED_COLUMNS, *names]).items():
            if count > 1:
                raise ValueError(f"the column {name!r} would be filled twice in a table: rename the metric's column")


@dataclass(frozen=True)
class Metric:
    """Numbers about one seed at one evaluation (or, where ``measure`` names ``speed`` or ``cost``, about the cell).

    ``at``: ``every`` evaluation, or, for what costs much, only at the ``end``: a seed's last.
    """

    name: str
    measure: Callable[..., Mapping[str, Said]]
    columns: tuple[Column, ...]
    at: Literal["every", "end"] = "every"


@dataclass(frozen=True)
class Reference:
    """A row that no game has trained: ``fit(training, dataset, random)`` gives the Distribution to score."""

    name: str
    fit: Callable[..., Distribution]


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
        _kind("reference", Reference, ("fit",), REFERENCE_NAMES),
    )
}

Value = Loss | Architecture | Dataset | Metric | Update | Optimizer | Reference
Parameters = Mapping[str, Any]
