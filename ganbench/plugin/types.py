"""The values that plugins yield, one class for each kind.

A function inside a value is *given what it names*: the engine fills its positional parameters by name (``kinds``
lists the names), and computes only what is named. A suite file may set its keyword-only parameters; their defaults
and annotations are the only declaration::

    def discriminator(d_real, d_fake, D, real, fake, random, *, penalty: float = 10.0):
        return d_fake.mean() - d_real.mean() + penalty * gradient_penalty(D, real, fake, random)

``aliases``, of every kind: other names of the same thing. A suite that writes one is told the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ganbench.plugin.column import Column

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ganbench.plugin.executed import Workers
    from ganbench.plugin.played import Game, Players

Number = float | int | bool | None
#: A value of a metric's column: a number, or text for a column whose summary is ``words``.
MetricValue = Number | str


@runtime_checkable
class Distribution(Protocol):
    """What a dataset's factory returns: a distribution that can be sampled without end.

    Four more attributes are optional. ``log_density(x)``, (n, *shape) -> (n,) in float64 numpy: where it is exact,
    likelihoods are exact, too. ``training`` and ``held_out``, tensors (n, *shape): for data that is a finite set, the
    part that is trained on and the part that never is. ``phases``: for data that change during training, see
    ``ganbench.data.phases``. Data with labels have more, see ``ganbench.data.labels``.
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
    """What an architecture's factory returns: two modules, and the shape and distribution of the latent.

    ``generator`` maps (batch, *latent) to (batch, *shape); ``discriminator`` maps (batch, *shape) to logits,
    shape (batch,) or (batch, 1). The latent is standard normal or uniform on (-1, 1). ``generator_parts`` and
    ``discriminator_parts``: further networks of either player, trained with it, by the names that a loss uses.

    ``classes``: above 0, the networks are conditional (Mirza & Osindero 2014, arXiv:1411.1784): both take, as a second
    argument, the class of each row, (batch,), int64, from 0 to classes - 1.
    """

    generator: nn.Module
    discriminator: nn.Module
    latent: tuple[int, ...]
    latent_distribution: Literal["normal", "uniform"] = "normal"
    generator_parts: Mapping[str, nn.Module] = field(default_factory=dict)
    discriminator_parts: Mapping[str, nn.Module] = field(default_factory=dict)
    classes: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError where the latent's shape or distribution is not valid."""
        if not isinstance(self.latent, tuple) or not all(isinstance(n, int) and n > 0 for n in self.latent):
            raise ValueError(f"latent must be a shape such as (2,), not {self.latent!r}")
        if self.latent_distribution not in ("normal", "uniform"):
            raise ValueError(f"latent_distribution must be 'normal' or 'uniform', not {self.latent_distribution!r}")
        if not isinstance(self.classes, int) or self.classes < 0:
            raise ValueError(f"classes must be a whole number, and 0 for networks without labels, not {self.classes!r}")


@dataclass(frozen=True)
class Loss:
    """A game's two losses, both minimised; each returns a scalar.

    ``probability``: sigmoid(D(x)) estimates p/(p+q) at the optimum (Goodfellow 2014, proposition 1), so
    mean D(real) and mean D(fake) may be reported as probabilities.

    ``project``: a function theta -> theta, applied to the discriminator's parameters after each of its steps.
    ``players``: makes the networks, (build, shape, data) -> Networks, for a method that is more than a loss; ``parts``:
    the names of the networks that it adds, which the functions may name and call.
    """

    name: str
    discriminator: Callable[..., Tensor]
    generator: Callable[..., Tensor]
    probability: bool = False
    project: Callable[..., Tensor] | None = None
    players: Callable[..., Networks] | None = None
    parts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Penalty:
    """A term for any loss: a scalar that is added to the discriminator's loss or the generator's.

    ``inputs(x, random, step)``: what D gets in place of x while training, in each call. ``memory``: the numbers that
    the penalty starts with; ``remember(memory, d_real, d_fake, step)``: the new numbers, as many, after each gradient
    of the discriminator. The suite's key ``every`` makes any penalty lazy: added only at every so many steps.
    ``scheduled``: the parameter that a schedule multiplies; a penalty without such a parameter takes no schedule.
    """

    name: str
    discriminator: Callable[..., Tensor] | None = None
    generator: Callable[..., Tensor] | None = None
    inputs: Callable[..., Tensor] | None = None
    memory: tuple[float, ...] = ()
    remember: Callable[..., tuple[Tensor, ...]] | None = None
    aliases: tuple[str, ...] = ()
    scheduled: str = "weight"


@dataclass(frozen=True)
class Architecture:
    """A pair of networks for data of a given ``shape`` and, where it names ``classes``, with labels."""

    name: str
    build: Callable[..., Networks]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A distribution with parameters."""

    name: str
    build: Callable[..., Distribution]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Update:
    """One generator step of the game: ``step(game, players) -> players``."""

    name: str
    step: Callable[[Game, Players], Players] | Callable[..., Players]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Optimizer:
    """A gradient step on one player's parameter vector.

    ``start(theta)`` returns the state, a tuple of tensors of ``theta``'s shape; ``update(theta, gradient, state, t)``
    returns the next ``(theta, state)``; ``t``, a scalar tensor, counts this player's updates from 1. It may also name
    ``shapes``, the shapes of the parameters that ``theta`` holds one after the other.

    ``scheduled``: the parameter that a schedule multiplies; an optimizer without such a parameter takes no schedule.
    """

    name: str
    start: Callable[[Tensor], tuple[Tensor, ...]]
    update: Callable[..., tuple[Tensor, tuple[Tensor, ...]]]
    aliases: tuple[str, ...] = ()
    scheduled: str = "lr"


@dataclass(frozen=True)
class Schedule:
    """A number that changes over the generator steps: what a parameter of an optimizer or a penalty is multiplied by.

    ``factor(step, steps)`` returns a scalar of at least 0; ``step``, a float64 scalar tensor, counts generator steps
    from 0; ``steps`` is how many there are. ``in_steps``: those of its parameters that are numbers of steps, which a
    suite must keep below its budget.
    """

    name: str
    factor: Callable[..., Tensor | float]
    in_steps: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """Numbers about one seed at one evaluation (or, where ``measure`` names ``speed`` or ``cost``, about the cell).

    ``at``: whether it is measured at ``every`` evaluation or, for an expensive metric, only at the ``end``, a seed's
    last evaluation. ``symmetric``: whether the value is the same with samples and held-out data exchanged.
    ``requires``: raises ValueError or PluginError, one line, where a package or a file that it needs is not there. It
    is called before anything is trained, and a metric that has it is measured only where it is named.
    """

    name: str
    measure: Callable[..., Mapping[str, MetricValue]]
    columns: tuple[Column, ...]
    at: Literal["every", "end"] = "every"
    symmetric: bool = False
    requires: Callable[[], object] | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A row that is not trained as a GAN: ``fit(training, dataset, random)`` returns the Distribution to score."""

    name: str
    fit: Callable[..., Distribution]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observer:
    """What is told of a run while it goes on, such as a tracker; it changes no number.

    ``build`` returns an object whose methods are called as things happen: ``kinds.EVENT_NAMES`` lists them. ``needs``:
    each package that it imports, and what pip installs it by. ``tried_with``: the parameters that the conformance kit
    sets, so that nothing leaves the machine.
    """

    name: str
    build: Callable[..., Any]
    needs: Mapping[str, str] = field(default_factory=dict)
    tried_with: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Executor:
    """Where the tasks of a run are trained, such as a cluster's queue; it changes no number.

    ``build`` returns an object with the methods of ``ganbench.plugin.executed.Workers``. ``needs``: as of an Observer.
    """

    name: str
    build: Callable[..., Workers]
    needs: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


Value = (
    Loss | Penalty | Architecture | Dataset | Metric | Update | Optimizer | Schedule | Reference | Observer | Executor
)
