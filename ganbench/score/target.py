"""What samples are scored against: a data set and metrics, from a suite or by their own names."""

from __future__ import annotations

import re
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

#: The metric inputs that only a game has, or who knows what each sample was asked for.
GAME = ("speed", "cost", "loss", "d_real", "d_fake", "label")


@dataclass(frozen=True)
class Target:
    """A data set, its label, and the metrics; ``notes``: what was left out."""

    label: str
    dataset: Choice
    metrics: tuple[Choice, ...]
    notes: tuple[str, ...] = ()


def of_suite(suite: Suite, dataset: str | None, metrics: Sequence[str], registry: Registry) -> Target:
    """A data set of a suite, with the suite's metrics.

    The suite's metrics that need a game are left out, with a note.

    Args:
        suite: The suite.
        dataset: The data set's name in the suite; None: its only one.
        metrics: The metrics' names, with the suite's parameters if it has them; all of the suite's if empty.
        registry: Where plugins are looked up.

    Returns:
        The target.

    Raises:
        ValueError: A line for each mistake.
    """
    if dataset is None:
        if len(suite.datasets) > 1:
            raise ValueError(f"--dataset: suite {suite.name!r} has {', '.join(suite.datasets)}: name one of them")
        dataset = next(iter(suite.datasets))
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
    """A data set plugin, with its parameters and metrics by name.

    Args:
        dataset: The plugin's name.
        parameters: Its parameters, each ``NAME=VALUE``.
        metrics: The metrics' names; all usual ones if empty, see ``usual_metrics``.
        registry: Where plugins are looked up.

    Returns:
        The target.

    Raises:
        ValueError: A line for each mistake.
    """
    try:
        entry = registry.get("dataset", dataset)
    except LookupError as problem:
        # What a suite would write is written otherwise here.
        said = re.sub(r"\{name: ([^,{}]+), (\w+): ([^,{}]+)\}", r"\1 --param \2=\3", str(problem))
        more = "" if "did you mean" in said else "; for a data set as a suite defines it, add --suite SUITE"
        raise ValueError(f"--dataset: {said}{more}") from None
    given = _parameters(parameters)
    if mistakes := entry.check_parameters(given):
        raise ValueError("\n".join(f"--param {name}: {message}" for name, message in mistakes))
    choice = Choice.of(entry, given)
    try:
        choice.build()
    except ValueError as problem:
        raise ValueError(f"--dataset {dataset}: {problem}") from None
    chosen = tuple(_metric(name, registry) for name in _once(metrics)) if metrics else usual_metrics(registry)
    return Target(entry.name, choice, chosen)


def needed(metric: Metric) -> tuple[str, ...]:
    """The metric inputs that a metric names and that samples cannot give; empty where samples are enough.

    The density of a fitted ``model`` is one where the metric does not use the samples.
    """
    names = frozenset(bind(metric.measure, {}).names)
    own = () if names & {"samples", "divergence"} else ("model",)
    return tuple(name for name in (*GAME, *own) if name in names)


def usual_metrics(registry: Registry) -> tuple[Choice, ...]:
    """Every shipped metric that needs only samples, by name; first the primary number and the modes covered.

    One that ``requires`` what may not be on this machine is left out.
    """
    entries = [entry for entry in registry.entries if entry.kind == "metric" and entry.origin == "shipped"]
    shipped = [entry.value for entry in entries if isinstance(entry.value, Metric)]
    metrics = [metric for metric in shipped if not metric.requires and not needed(metric)]
    metrics.sort(
        key=lambda metric: (not find(metric.columns, "primary"), not find(metric.columns, "covered"), metric.name)
    )
    return tuple(_metric(metric.name, registry) for metric in metrics)


def _metric(name: str, registry: Registry, choice: Choice | None = None) -> Choice:
    """A metric by name: ``choice``, or the metric with its defaults.

    Raises ValueError where there is no such metric, or it cannot be used on samples.
    """
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
