"""A suite file, found by its path or its name, read and checked."""

from __future__ import annotations

from pathlib import Path

from ganbench.core.messages import suggest
from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry
from ganbench.suite import document
from ganbench.suite.mistake import Mistake, SuiteError
from ganbench.suite.reader import Reader
from ganbench.suite.suite import Suite


def find(name_or_path: str | Path) -> Path:
    """The path of a suite, given as a path or as the name of a shipped suite; raises SuiteError if neither exists."""
    path = Path(name_or_path)
    home = shipped.folder("suites")
    known = {file.relative_to(home).with_suffix("").as_posix(): file for file in sorted(home.rglob("*.yaml"))}
    text = str(name_or_path)
    if path.exists() and not path.is_dir():
        return path
    if text in known:
        return known[text]
    if path.is_dir():
        message = "is a folder, not a suite file"
    elif path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        hint = f"; the shipped suite is called {path.stem!r}" if path.stem in known else ""
        message = f"no such file{hint}"
    else:
        message = f"unknown suite{suggest(text, known)}"
    raise SuiteError([Mistake(text, 0, 0, "", message)])


def load(path: str | Path, registry: Registry) -> Suite:
    """Read and check a suite file; raises SuiteError with every mistake in it."""
    return Reader(document.read(Path(path)), registry).suite()


def parse(text: str, registry: Registry, file: str = "<text>") -> Suite:
    """Read and check the text of a suite file.

    Args:
        text: the text, YAML.
        registry: the plugins.
        file: the name of the file in messages.

    Returns:
        The suite.

    Raises:
        SuiteError: with every mistake in the text.
    """
    return Reader(document.parse(text, file), registry).suite()
