"""What is needed to run a run again, and the papers to cite."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ganbench.plugin import shipped
from ganbench.plugin.citation import bibtex, find
from ganbench.report.page.shown_run import ShownRun


@dataclass(frozen=True)
class Paper:
    """A paper that plugins of the run cite, and which."""

    label: str
    url: str
    plugins: str


@dataclass(frozen=True)
class Again:
    """How a run was made. ``facts``: names and what they were; ``unread``: plugins whose file is not here any more."""

    command: str
    suite: str
    facts: tuple[tuple[str, str], ...]
    plugins: tuple[tuple[str, str, str], ...]
    papers: tuple[Paper, ...]
    bibtex: str
    unread: tuple[str, ...]


def again(run: ShownRun) -> Again:
    """How a run was made: its command, its resolved suite, versions, device and the code of its plugins."""
    described = run.described
    plugins = [one for one in described.get("plugins", ()) if isinstance(one, dict)]
    cited: list[tuple[str, Any]] = []
    unread = []
    for one in plugins:
        text = _docstring(one)
        who = f"{one.get('kind')} {one.get('name')}"
        if text is None:
            unread.append(who)
        else:
            cited += [(who, citation) for citation in find(text)]
    papers: dict[str, tuple[Any, list[str]]] = {}
    for who, citation in cited:
        papers.setdefault(citation.full, (citation, []))[1].append(who)
    command = described.get("command", ())
    return Again(
        command=shlex.join(map(str, command)) if isinstance(command, list | tuple) else str(command),
        suite=_suite(run),
        facts=tuple(_facts(described)),
        plugins=tuple((str(one.get("kind")), str(one.get("name")), str(one.get("sha256", ""))) for one in plugins),
        papers=tuple(
            Paper(label, citation.url, ", ".join(dict.fromkeys(whose)))
            for label, (citation, whose) in sorted(papers.items())
        ),
        bibtex=bibtex(cited),
        unread=tuple(unread),
    )


def _suite(run: ShownRun) -> str:
    try:
        return run.folder.suite.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _facts(described: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("run", "created", "identity", "engine"):
        if described.get(name):
            yield name, str(described[name])
    for name in ("versions", "device", "environment"):
        if isinstance(described.get(name), dict):
            yield from ((key, str(value)) for key, value in described[name].items() if value is not None)
    for name in ("git", "project"):
        one = described.get(name)
        if isinstance(one, dict) and one.get("commit"):
            what = "commit of ganbench" if name == "git" else "commit of the suite's project"
            yield what, f"{one['commit']}" + (", with changes that were not committed" if one.get("dirty") else "")
    if described.get("source"):
        yield "sha256 of ganbench's code", str(described["source"])
    data = described.get("data")
    if isinstance(data, dict):
        yield from ((f"sha256 of {name}", str(one["sha256"])) for name, one in data.items() if "sha256" in one)


def _docstring(plugin: Mapping[str, Any]) -> str | None:
    """The docstring of a plugin's file, as it was run or as it is shipped; None where there is no such file."""
    digest, source = plugin.get("sha256"), Path(str(plugin.get("source", "")))
    content = None
    if source.is_file():
        content = source.read_bytes()
    if content is None or sha256(content).hexdigest() != digest:
        content = _shipped_files().get(source.name, content)
    if content is None:
        return None
    try:
        return ast.get_docstring(ast.parse(content)) or ""
    except (SyntaxError, ValueError):
        return None


@cache
def _shipped_files() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(shipped.folder("plugins").rglob("*.py"))}
