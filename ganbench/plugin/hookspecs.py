"""The hooks a plugin may implement: one for each kind, each yielding any number of values."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ganbench.plugin.types import Architecture, Dataset, Loss, Metric, Optimizer, Penalty, Reference, Update

hookspec = pluggy.HookspecMarker("ganbench")
hookimpl = pluggy.HookimplMarker("ganbench")


@hookspec
def ganbench_losses() -> Iterable[Loss]:  # type: ignore[empty-body]
    """Losses: what the discriminator and the generator minimise."""


@hookspec
def ganbench_penalties() -> Iterable[Penalty]:  # type: ignore[empty-body]
    """Penalties: terms added to a player's loss, whatever it is."""


@hookspec
def ganbench_architectures() -> Iterable[Architecture]:  # type: ignore[empty-body]
    """Architectures: pairs of networks for data of a given shape."""


@hookspec
def ganbench_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Datasets: distributions to learn, with exact densities where there are any."""


@hookspec
def ganbench_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics: numbers about samples, with the columns they fill."""


@hookspec
def ganbench_updates() -> Iterable[Update]:  # type: ignore[empty-body]
    """Update rules: the order in which the players move."""


@hookspec
def ganbench_optimizers() -> Iterable[Optimizer]:  # type: ignore[empty-body]
    """Optimizers: how a player turns a gradient into a step."""


@hookspec
def ganbench_references() -> Iterable[Reference]:  # type: ignore[empty-body]
    """References: rows that no game has trained, fitted to the data or made of it."""
