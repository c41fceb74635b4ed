"""Where the two sides of a comparison come from: what else differs between them, and how to find the commit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.compare.finding import Comparison, Word
from ganbench.record import provenance


def notes(found: Comparison, base: str, new: str) -> tuple[str, ...]:
    """What to know about the sides, a line each; ``base``, ``new``: as the user named them."""
    lines = [
        *_differ("device", found.base.device, found.new.device),
        *_differ("versions", found.base.versions, found.new.versions),
    ]
    before, now = _commit(found.base.git), _commit(found.new.git)
    if not before or not now or before == now:
        return tuple(lines)
    lines.append(f"commits {before[:12]}..{now[:12]}")
    culprit = next((finding.case for finding in found.counted() if finding.word is Word.WORSE), None)
    if culprit is not None:
        suite = new if Path(new).suffix in (".yaml", ".yml") else f"suites/{found.new.suite}.yaml"
        command = ["ganbench", "compare", _kept(base), suite, "--bisect", culprit]
        start = f"git bisect start {now[:12]} {before[:12]}"
        lines.append(f"to find the commit: {start} && git bisect run {shlex.join(command)}")
    return tuple(lines)


def _differ(what: str, base: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    keys = [key for key in {**base, **new} if base.get(key) != new.get(key)]
    changes = ", ".join(f"{key} {base.get(key, 'unknown')} -> {new.get(key, 'unknown')}" for key in keys)
    return [f"other {what}: {changes}"] if changes else []


def _commit(git: Mapping[str, Any] | None) -> str:
    return str((git or {}).get("commit", ""))


def _kept(base: str) -> str:
    """The base by a name that outlives other commits being checked out: a tracked file at the commit it is at now."""
    path = Path(base)
    tracked = provenance.git(path) if path.is_file() else None
    return base if tracked is None or path.is_absolute() else f"{tracked['commit'][:12]}:./{path.as_posix()}"
