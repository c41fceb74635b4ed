"""The hooks that a plugin may implement: one for each kind. Each yields any number of values."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ganbench.plugin.types import (
    Architecture,
    Dataset,
    Executor,
    Loss,
    Metric,
    Observer,
    Optimizer,
    Penalty,
    Reference,
    Schedule,
    Update,
)

hookspec = pluggy.HookspecMarker("ganbench")
hookimpl = pluggy.HookimplMarker("ganbench")


@hookspec
def ganbench_losses() -> Iterable[Loss]:  # type: ignore[empty-body]
    """Losses: what the discriminator and the generator minimise."""


@hookspec
def ganbench_penalties() -> Iterable[Penalty]:  # type: ignore[empty-body]
    """Penalties: terms that are added to a player's loss, whichever loss it is."""


@hookspec
def ganbench_architectures() -> Iterable[Architecture]:  # type: ignore[empty-body]
    """Architectures: pairs of networks for data of a given shape."""


@hookspec
def ganbench_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Datasets: distributions to learn, with exact densities where they are known."""


@hookspec
def ganbench_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics: numbers about samples, and the columns that they fill."""


@hookspec
def ganbench_updates() -> Iterable[Update]:  # type: ignore[empty-body]
    """Update rules: the order in which the players make their steps."""


@hookspec
def ganbench_optimizers() -> Iterable[Optimizer]:  # type: ignore[empty-body]
    """Optimizers: how a gradient becomes a step of a player."""


@hookspec
def ganbench_schedules() -> Iterable[Schedule]:  # type: ignore[empty-body]
    """Schedules: how a learning rate, or the weight of a penalty, changes over the generator steps."""


@hookspec
def ganbench_references() -> Iterable[Reference]:  # type: ignore[empty-body]
    """References: rows of the table that are not trained as GANs: the data itself, or models fitted to it."""


@hookspec
def ganbench_observers() -> Iterable[Observer]:  # type: ignore[empty-body]
    """Observers: trackers and dashboards, which are told of a run while it goes on."""


@hookspec
def ganbench_executors() -> Iterable[Executor]:  # type: ignore[empty-body]
    """Executors: where the tasks of a run are trained: in processes, on a cluster."""
