"""The whole kit: finds the plugins to check, and runs the properties of their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import torch

from ganbench.core.errors import NotApplicableError
from ganbench.core.threads import threads
from ganbench.plugin.entry import Broken, Entry
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.loader import load_named
from ganbench.plugin.registry import Registry, display
from ganbench.testing import (
    architectures,
    datasets,
    devices,
    dirac,
    executors,
    fdivergence,
    metrics,
    observers,
    optimizers,
    penalties,
    references,
    schedules,
    slopes,
    term_properties,
    training,
    updates,
)
from ganbench.testing.result import CheckResult, Property, Subject, grouped_by_reason, judge, settings


def check(
    plugin: str | Path,
    registry: Registry | None = None,
    *,
    kind: str | None = None,
    compile: bool = False,  # noqa: A002
) -> tuple[CheckResult, ...]:
    """Test each property of a plugin.

    Args:
        plugin: a file, whose values are all checked, or the name of a loaded plugin.
        registry: the other plugins; by default those that are found with the folder ``plugins``.
        kind: only values of this kind are checked; by default all.
        compile: whether the steps are really compiled, which takes some seconds each.

    Returns:
        The result of each property.

    Raises:
        LookupError: there is no such plugin.
        ValueError: its file is broken.
    """
    loaded, entries = find(plugin, Registry.load([Path("plugins")]) if registry is None else registry, kind)
    return tuple(result for entry in entries for result in results(entry, loaded, compile=compile))


def assert_conforms(plugin: str | Path, registry: Registry | None = None, *, compile: bool = False) -> None:  # noqa: A002
    """Check a plugin, and raise an AssertionError where a property fails.

    Args:
        plugin: a file or the name of a plugin, as for ``check``.
        registry: the other plugins, as for ``check``.
        compile: whether the steps are really compiled, as for ``check``.

    Raises:
        AssertionError: a property fails; one line for each, but properties with the same reason share one.
        LookupError: there is no such plugin.
        ValueError: its file is broken.
    """
    failed = [each for each in check(plugin, registry, compile=compile) if each.status == "fail"]
    if failed:
        of_one = groupby(failed, key=lambda each: f"{each.kind} {each.name}")
        lines = [
            f"{name}: {what}: {reason}" for name, own in of_one for _, what, reason in grouped_by_reason(tuple(own))
        ]
        raise AssertionError("\n".join(lines))


def find(plugin: str | Path, registry: Registry, kind: str | None = None) -> tuple[Registry, tuple[Entry, ...]]:
    """Find the plugins to check.

    Args:
        plugin: a file or the name of a plugin, as for ``check``.
        registry: the other plugins.
        kind: only values of this kind; by default all.

    Returns:
        The registry to check them with, in which a file's values replace others of the same name; and the plugins.

    Raises:
        LookupError: there is no such plugin.
        ValueError: its file is broken.
    """
    path = Path(plugin)
    if isinstance(plugin, Path) or path.suffix == ".py":
        if not path.is_file():
            raise LookupError(f"{path}: there is no such file")
        outcomes = load_named(path, "checked")
        if broken := [each for each in outcomes if isinstance(each, Broken)]:
            raise ValueError("\n".join(f"{path}: {each.cause}" for each in broken))
        entries = tuple(each for each in outcomes if isinstance(each, Entry))
        names = {(entry.kind, entry.name) for entry in entries}
        others = tuple(entry for entry in registry.entries if (entry.kind, entry.name) not in names)
        registry = replace(registry, entries=others + entries)
        meant = tuple(entry for entry in entries if kind in (None, entry.kind))
        if not meant:
            raise LookupError(f"{path}: has no {kind}")
        return registry, meant
    kinds = [each for each in KINDS if kind in (None, each) and plugin in registry.names(each)]
    if not kinds and path.is_dir():
        raise LookupError(f"{path}: is a folder: name the files in it, {path}/*.py, or --plugins {path} --all")
    if not kinds and path.suffix in (".yaml", ".yml"):
        raise LookupError(f"{path}: is a suite, and no plugin: ganbench plan {path} checks it")
    if not kinds and kind is None:
        raise LookupError(_unknown(str(plugin), registry))
    if not kinds:
        registry.get(kind or "loss", str(plugin))
    return registry, tuple(registry.get(each, str(plugin)) for each in kinds)


def _unknown(name: str, registry: Registry) -> str:
    """The message about a name that no plugin of any kind has."""
    messages = []
    for kind in KINDS:
        try:
            registry.get(kind, name)
        except LookupError as problem:
            messages.append(str(problem))
    meant = [message for message in messages if "; known: " not in message and "; there are none" not in message]
    broken = messages[0].partition(" (")
    return meant[0] if meant else f"no plugin {name!r}, of any kind: ganbench list shows all{broken[1]}{broken[2]}"


def twin(entry: Entry, registry: Registry) -> str:
    """A warning where another plugin already has the name of a file's plugin; an empty text otherwise."""
    for other in registry.entries:
        same = Path(other.source).resolve() == Path(entry.source).resolve() or other.sha256 == entry.sha256
        if (other.kind, other.name) == (entry.kind, entry.name) and not same:
            both = f"{display(other.source)} and {display(entry.source)}"
            named = f"a suite that names the {entry.kind} {entry.name!r}"
            return f"{named} will be refused: two plugins have that name, {both}"
    return ""


def results(entry: Entry, registry: Registry, *, compile: bool = False) -> tuple[CheckResult, ...]:  # noqa: A002
    """Test each property of one plugin, at each of its settings.

    Args:
        entry: the plugin.
        registry: the plugins that it is tested with.
        compile: whether the steps are really compiled.

    Returns:
        The result of each property.
    """
    try:
        subjects = [Subject(entry, registry, setting, compile) for setting in settings(entry)]
    except NotApplicableError as reason:
        return (CheckResult(entry.kind, entry.name, "everything", "n/a", str(reason)),)
    # The kit's tensors are small: several threads would only wait for each other.
    with threads(1), torch.random.fork_rng(devices=[]):
        return tuple(judge(of_kind(entry.kind), subjects))


def of_kind(kind: str) -> Sequence[Property]:
    """The properties that plugins of a kind are tested for."""
    own: tuple[Property, ...]
    match kind:
        case "loss":
            own = (
                *term_properties.PROPERTIES,
                *fdivergence.PROPERTIES,
                slopes.LINE,
                slopes.CONSTANT,
                *dirac.PROPERTIES,
            )
        case "penalty":
            own = (*term_properties.PROPERTIES, *penalties.PROPERTIES, slopes.LINE, *dirac.PROPERTIES)
        case "update":
            own = (*updates.PROPERTIES, *dirac.RULE_PROPERTIES)
        case "optimizer":
            own = optimizers.PROPERTIES
        case "schedule":
            own = schedules.PROPERTIES
        case "architecture":
            own = architectures.PROPERTIES
        case "dataset":
            return datasets.PROPERTIES
        case "metric":
            return metrics.PROPERTIES
        case "observer":
            return observers.PROPERTIES
        case "executor":
            return executors.PROPERTIES
        case _:
            return references.PROPERTIES
    return (*own, *training.PROPERTIES, *devices.PROPERTIES)
