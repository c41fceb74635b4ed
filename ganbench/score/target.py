"""What samples are scored against: a data set and metrics, as a suite defines them or as they are named one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganbench.core.messages import shown, suggest
from ganbench.plugin.binding import bind
from ganbench.plugin.column import find
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Metric
from ganbench.suite import document
from ganbench.suite.choice import Choice
from ganbench.suite.mistake import SuiteError
from ganbench.suite.suite import Suite

#: Of what a metric may name, that which only a game has.
GAME = ("speed", "cost", "loss", "d_real", "d_fake")


@dataclass(frozen=True)
class Target:
    """A data set, what it is called, and the metrics; ``notes`` say what was left out."""

    label: str
    dataset: Choice
    metrics: tuple[Choice, ...]
    notes: tuple[str, ...] = ()


def of_suite(suite: Suite, dataset: str, metrics: Sequence[str], registry: Registry) -> Target:
    """The data set of this name in a suite, with the suite's metrics, or only those named in ``metrics``.

    The suite's metrics that need a game are left out. Raises ValueError, a line for each mistake.
    """
    if dataset not in suite.datasets:
        raise ValueError(f"--dataset: suite {suite.name!r} has no {dataset!r}{suggest(dataset, suite.datasets)}")
    if metrics:
        own = {choice.name: choice for choice in suite.metrics}
        chosen = tuple(_metric(name, registry, own.get(name)) for name in _once(metrics))
        return Target(dataset, suite.datasets[dataset], chosen)
    idle = [choice.name for choice in suite.metrics if needed(choice.plugin(Metric))]
    usable = tuple(choice for choice in suite.metrics if choice.name not in idle)
    if not usable:
        raise ValueError(f"suite {suite.name!r} has only metrics that need a game ({', '.join(idle)}): give --metric")
    notes = (f"Left out, since samples are not enough for them: {', '.join(idle)}",) if idle else ()
    return Target(dataset, suite.datasets[dataset], usable, notes)


def of_names(dataset: str, parameters: Sequence[str], metrics: Sequence[str], registry: Registry) -> Target:
    """The data set plugin of this name with its parameters (``NAME=VALUE``), with all usual metrics or those named.

    Raises ValueError, a line for each mistake.
    """
    try:
        entry = registry.get("dataset", dataset)
    except LookupError as problem:
        raise ValueError(f"--dataset: {problem}") from None
    given = _parameters(parameters)
    if mistakes := entry.check_parameters(given):
        raise ValueError("\n".join(f"--param {name}: {message}" for name, message in mistakes))
    choice = Choice.of(entry, given)
    try:
        entry.build(choice.parameters)
    except ValueError as problem:
        raise ValueError(f"--dataset {dataset}: {problem}") from None
    chosen = tuple(_metric(name, registry) for name in _once(metrics)) if metrics else usual_metrics(registry)
    return Target(entry.name, choice, chosen)


def needed(metric: Metric) -> tuple[str, ...]:
    """What the metric names that samples cannot give it; empty where they are enough.

    The density of a fitted ``model`` is such where the metric does not look at the samples.
    """
    names = frozenset(bind(metric.measure, {}).names)
    own = () if names & {"samples", "divergence"} else ("model",)
    return tuple(name for name in (*GAME, *own) if name in names)


def usual_metrics(registry: Registry) -> tuple[Choice, ...]:
    """Every shipped metric that samples are enough for, by name, but the primary number and the modes covered first."""
    entries = [entry for entry in registry.entries if entry.kind == "metric" and entry.origin == "shipped"]
    metrics = [entry.value for entry in entries if isinstance(entry.value, Metric) and not needed(entry.value)]
    metrics.sort(
        key=lambda metric: (not find(metric.columns, "primary"), not find(metric.columns, "covered"), metric.name)
    )
    return tuple(_metric(metric.name, registry) for metric in metrics)


def _metric(name: str, registry: Registry, choice: Choice | None = None) -> Choice:
    """A metric by name, with its defaults unless it is chosen already. Raises ValueError where it will not do."""
    try:
        entry = registry.get("metric", name)
    except LookupError as problem:
        raise ValueError(f"--metric: {problem}") from None
    assert isinstance(entry.value, Metric)
    if lacking := needed(entry.value):
        raise ValueError(f"--metric: {name!r} needs {' and '.join(lacking)}, which samples alone do not have")
    if choice is None and (mistakes := entry.check_parameters({})):
        raise ValueError("\n".join(f"--metric: {message}; set it in a suite" for _, message in mistakes))
    return choice or Choice.of(entry, {})


def _once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _parameters(items: Sequence[str]) -> Mapping[str, Any]:
    given: dict[str, Any] = {}
    for item in items:
        name, sign, text = item.partition("=")
        if not (name and sign and text.strip()):
            raise ValueError(f"--param: must be NAME=VALUE, as in --param modes=8, not {shown(item)}")
        if name in given:
            raise ValueError(f"--param {name}: is there twice")
        try:
            parsed = document.parse(text)
            mistakes = parsed.mistakes
        except SuiteError as error:
            mistakes = list(error.mistakes)
        if mistakes:
            raise ValueError(f"--param {name}: {mistakes[0].message}")
        given[name] = parsed.value
    return given
