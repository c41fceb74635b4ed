"""The identity of a run: all that decides its numbers. What differs between two, in words, each with its cure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import yaml

from ganbench.core.messages import shown
from ganbench.core.opened import opened
from ganbench.plugin.entry import Entry
from ganbench.record.folder import RunFolder
from ganbench.record.same_data import other_data

#: The keys of run.json that decide numbers, beside the plugins.
_DECIDES = ("versions", "device", "engine", "source", "environment", "data")
#: The keys of a suite, and of a variant, that only judge, describe or draw a run: they change no number of it.
_ABOUT_SUITE, _ABOUT_VARIANT = ("description", "guard", "pictures", "published", "relative_to"), ("guard", "expect")
#: PyYAML's own parser is ten times slower, where it was built with the other.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: So many differences are named.
_NAMED = 3


def identity_of(about: Mapping[str, Any], suite_yaml: str) -> str:
    """The digest of all that decides a run's numbers, and of nothing else: only the same run may be continued.

    ``about``: the content of run.json; ``suite_yaml``: the resolved suite.
    """
    plugins = [[one["name"], one["sha256"], one["uses"]] for one in about["plugins"]]
    content = [_digest(suite_yaml), {key: about[key] for key in _DECIDES}, plugins]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def left_behind(newest: RunFolder | None, run: RunFolder, about: Mapping[str, Any], suite_yaml: str) -> str:
    """A line about the newest run of a suite where it has not finished and a new run does not go on with it.

    Args:
        newest: that run, of those that there were before; None where there was none.
        run: the run that begins, or goes on.
        about: the content of its run.json, as a new run has it.
        suite_yaml: its resolved suite.

    Returns:
        What differs, and how to go on with it; empty where it has finished, a process is at work on it, or ``run`` is
        no new one.
    """
    try:
        if newest is None or newest.path == run.path or newest.finished:
            return ""
        with newest.lock():
            then = newest.describe()
        if run.describe()["created"] < then["created"]:
            return ""
    except Exception:  # a damaged run is no reason to stop the new one: this is only a line
        return ""
    if not (found := changes(newest, about, suite_yaml)):
        return ""
    return (
        f"a new run: {newest.path} has not finished, but since then {'; '.join(found)}. "
        f"To go on with that run, undo this and give its command again"
    )


def changes(run: RunFolder, about: Mapping[str, Any], suite_yaml: str) -> list[str]:
    """What has changed since a run began, so that it cannot be gone on with; nothing of a run that is damaged.

    Args:
        run: the run.
        about: the content of run.json, as a new run has it.
        suite_yaml: its resolved suite.

    Returns:
        What is so now, in words; the first few, and how many more.
    """
    try:
        text = run.suite.read_text(encoding="utf-8")
        return _few(_differences(run.describe(), text, about, suite_yaml))
    except Exception:  # it is only for a line
        return []


def plan_differences(then: Mapping[str, Any], text: str, now: Mapping[str, Any], suite_yaml: str) -> list[str]:
    """What differs between two runs beside the machines that they were made on, in words; nothing for one plan.

    Args:
        then: the content of a run.json.
        text: the suite beside it.
        now: the content of another run.json.
        suite_yaml: the suite beside that.

    Returns:
        What is so of the latter; the first few, and how many more.
    """
    one_machine = then["device"] == now["device"] and then["versions"] == now["versions"]
    changed = (
        name for name in now["data"] if other_data(then["data"].get(name), now["data"][name], one_machine=one_machine)
    )
    found = [f"the data of {name!r} are others" for name in changed]
    # Of the machine, and of the data that it has rounded, nothing is compared.
    before = {**then, "device": now["device"], "data": now["data"]}
    before["versions"] = {**then["versions"], "platform": now["versions"]["platform"]}
    found += _differences(before, text, now, suite_yaml)
    if text != suite_yaml:
        found += _of_suite(_loaded(text), _loaded(suite_yaml))
    if not found and (identity_of(before, text) != identity_of(now, suite_yaml) or then["plan"] != now["plan"]):
        found.append("its plugins or its cells are others")
    return _few(found)


def _few(differences: Iterable[str]) -> list[str]:
    """The first few, and how many more."""
    found = list(dict.fromkeys(differences))
    return found[:_NAMED] + ([f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else [])


@lru_cache(maxsize=8)
def _loaded(suite_yaml: str) -> Mapping[str, Any]:
    """A resolved suite: of a thousand tasks of a run, each of which has the same, it is parsed once."""
    suite: dict[str, Any] = yaml.load(suite_yaml, _LOADER)
    return suite


@lru_cache(maxsize=8)
def _digest(suite_yaml: str) -> str:
    """A digest of what of a resolved suite decides numbers."""
    return hashlib.sha256(json.dumps(_trained(suite_yaml)).encode()).hexdigest()


def _differences(then: Mapping[str, Any], text: str, now: Mapping[str, Any], suite_yaml: str) -> Iterator[str]:
    yield from changed_plugins(then.get("plugins", ()), now["plugins"])
    for name, data in now["data"].items():
        known = then.get("data", {}).get(name, data)
        if known and data and known["sha256"] != data["sha256"]:
            yield f"the data of {name!r} have changed"
    if then.get("engine") != now["engine"]:
        yield f"the engine is another (--engine {then.get('engine')})"
    yield from _of_device(then.get("device", {}), now["device"])
    environment = then.get("environment", now["environment"])
    for name in {**environment, **now["environment"]}:
        was, given = environment.get(name), now["environment"].get(name)
        if was != given:
            yield f"{name} is {given or 'not set'} (it was {f'{name}={was}' if was else 'not set'})"
    for name, version in now["versions"].items():
        if (was := then.get("versions", {}).get(name)) != version:
            yield f"{name} is {version} (it was {was})"
    if then.get("source", now["source"]) != now["source"]:
        yield "ganbench's own code has changed"
    if text != suite_yaml:
        yield from _of_suite(_trained(text), _trained(suite_yaml))


def described(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Plugins as run.json describes them: kind, name, file, its digest, and those of the files that it uses."""
    return [
        {"kind": entry.kind, "name": entry.name, "source": str(entry.source), "sha256": entry.sha256}
        # What a data set reads is in its data.
        | {"uses": dict(entry.uses) | ({} if entry.kind == "dataset" else opened(entry.kind, entry.name))}
        for entry in entries
    ]


def changed_plugins(then: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each file of plugins, as ``described``, that has changed; those of other plugins are left out."""
    before = {(one["kind"], one["name"]): one for one in then}
    for one in now:
        known, file = before.get((one["kind"], one["name"])), PurePath(one["source"]).name
        if known is None:
            continue
        if known["sha256"] != one["sha256"]:
            yield f"{file} has changed"
        files = known.get("uses", one["uses"])
        for name in {**files, **one["uses"]}:
            if files.get(name) != one["uses"].get(name):
                yield f"{name} has changed, which {file} uses"


def _trained(suite_yaml: str) -> dict[str, Any]:
    """What of a resolved suite decides numbers: all but what describes it, and what a run is judged by."""
    suite = _loaded(suite_yaml)
    variants = {
        name: {key: value for key, value in variant.items() if key not in _ABOUT_VARIANT}
        for name, variant in suite["variants"].items()
    }
    return {key: value for key, value in suite.items() if key not in _ABOUT_SUITE} | {"variants": variants}


def _of_device(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    cures = {"device": "--device {}", "threads": "OMP_NUM_THREADS={}"}
    for name in {**then, **now}:
        if then.get(name) != now.get(name):
            was = then.get(name)
            yield f"{name} is {now.get(name)} (it was {cures[name].format(was) if name in cures else was})"


def _of_suite(then: Any, now: Any, place: str = "") -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in {**then, **now}:
            inner = f"{place}.{name}" if place else str(name)
            if name not in then or name not in now:
                yield f"the suite {'has' if name in now else 'lacks'} {inner}"
            else:
                yield from _of_suite(then[name], now[name], inner)
    elif then != now:
        counted = place == "seeds" and isinstance(then, list) and then == [*range(len(then))]
        was = f"--seeds {len(then)}" if counted else shown(then)
        yield f"the suite's {place} is {shown(now)} (it was {was})"
