"""Where the two sides of a comparison come from: what else differs between them, and how to find the bad commit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.core import git

#: Between two machines rounding is drawn once: a run repeated there has the same numbers, and the same false alarm.
_BY_CHANCE = (
    "by chance 1 in 100 such comparisons says worse, and between the same two machines each time: "
    "before you look for the cause, compare other seeds (such as seeds: [100, 101, ...]), trained on both"
)


def notes(found: Comparison, base: str, new: str) -> tuple[str, ...]:
    """Lines on what differs between the two sides besides the numbers, and on the commits between them.

    Args:
        found: the comparison
        base: the base as the user named it
        new: the new side as the user named it

    Returns:
        A line for each difference; then the commits and, if something is worse, the command that finds the commit.
    """
    before, now = found.base, found.new
    elsewhere = [
        *_differ("device", before.device, now.device),
        *_differ("versions", before.versions, now.versions),
    ]
    lines = [
        *elsewhere,
        *([_BY_CHANCE] if elsewhere and _worse_of_seeds(found) else []),
        *_differ("plugins", before.plugins, now.plugins, short=8),
        *_differ("guard", _flat(before.guard), _flat(now.guard)),
    ]
    both = [name for name in now.variants if name in before.variants]
    for name in both:
        was, is_ = (dict(_leaves(suite.variants[name])) for suite in (before, now))
        lines += _differ(f"training of {name}", was, is_)
    left_out = [name for name, min_effect in _flat(now.guard).items() if min_effect is False]
    if left_out:
        lines.append(f"left out by the guard: {', '.join(left_out)}")
    return (*lines, *_commits(found, base, new))


def _worse_of_seeds(found: Comparison) -> bool:
    """Whether something is worse that seeds decide, and no count."""
    return any(each.outcome is Outcome.WORSE and each.kind in ("value", "share", "step") for each in found.findings)


def _commits(found: Comparison, base: str, new: str) -> list[str]:
    """A line with the range of commits and, where something got worse, one with the command that finds the commit."""
    before, now = (dict(run.git or {}) for run in (found.base, found.new))
    if not before.get("commit") or not now.get("commit"):
        return []
    span = f"{before['commit'][:12]}..{now['commit'][:12]}"
    if now.get("dirty"):
        return [f"commits {span}, with changes on the new side that are not committed"]
    if before["commit"] == now["commit"]:
        return []
    lines = [f"commits {span}"]
    culprit = next((finding.case for finding in found.counted() if finding.outcome is Outcome.WORSE), None)
    suite = _suite(found.new.suite, new)
    if culprit is not None and suite is not None:
        if git.commit_of(before["commit"]) is None and git.is_shallow(Path.cwd()):
            return [*lines, f"the commits between them are not here{git.missing('')}"]
        command = ["ganbench", "compare", _kept(base), suite, "--bisect", culprit]
        start = f"git bisect start {now['commit'][:12]} {before['commit'][:12]}"
        lines.append(f"to find the commit: {start} && git bisect run {shlex.join(command)}")
    return lines


def _suite(name: str, new: str) -> str | None:
    """The suite's file, or None where it is not found."""
    places = [new] if Path(new).suffix in (".yaml", ".yml") else [f"suites/{name}.yaml", f"{name}.yaml"]
    return next((place for place in places if Path(place).is_file()), None)


def _differ(what: str, base: Mapping[str, Any], new: Mapping[str, Any], short: int | None = None) -> list[str]:
    keys = [key for key in {**base, **new} if base.get(key) != new.get(key)]
    shown = [tuple(str(versions.get(key, "none"))[:short] for versions in (base, new)) for key in keys]
    changes = ", ".join(f"{key} {was} -> {is_}" for key, (was, is_) in zip(keys, shown, strict=True))
    return [f"other {what}: {changes}"] if changes else []


def _flat(guard: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The limits of a guard by name; those of a variant by "variant name"."""
    return {
        f"{variant} {name}".strip(): min_effect
        for variant, min_effects in guard.items()
        for name, min_effect in min_effects.items()
    }


def _leaves(choice: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a variant with its path, such as ``optimizer.lr``; penalties by their names."""
    if isinstance(choice, list) and all(isinstance(one, Mapping) for one in choice):
        choice = {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in choice}
    if isinstance(choice, Mapping) and choice:
        for key, value in choice.items():
            yield from _leaves(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, choice


def _kept(base: str) -> str:
    """A name of the base that stays valid when git checks out other commits: for a tracked file, commit and path."""
    path = Path(base)
    tracked = git.commit_of_file(path) if path.is_file() else None
    return base if tracked is None or path.is_absolute() else f"{tracked['commit'][:12]}:./{path.as_posix()}"
