"""A new plugin from a template, complete and working, and its test."""

from __future__ import annotations

import keyword
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

from ganbench.core.disk import make_folder
from ganbench.core.names import lost_on_windows
from ganbench.plugin.shipped import chosen

TEMPLATES = Path(__file__).parent / "templates"
#: How a suite, or a command, says that it uses a plugin of each kind; the other kinds' key is the kind itself.
USES = {
    "dataset": "datasets: {{data: {name}}}",
    "metric": "metrics: [{metric}, {name}]",
    "reference": "references: [{floor}, {name}]",
    "schedule": "optimizer: {{schedule: {name}}}",
    "observer": "observers: [{name}]",
    "executor": "ganbench run SUITE --executor {name}",
}
LONGEST = 60
#: Files of these names would hide the modules that a plugin, or ganbench itself, imports.
NEEDED = {
    *("torch", "torchvision", "numpy", "scipy", "sklearn", "pandas", "pluggy", "rich", "yaml", "pydantic", "click"),
    *("ganbench", "pytest", "pyarrow", "safetensors", "PIL", "jax", "optax"),
}


class NotNewError(ValueError):
    """The plugin cannot be written; the message, one line, gives the reason."""


@dataclass(frozen=True)
class NewPlugin:
    """What ``ganbench new`` writes: two files with their content; ``use``: how a suite or a command names it."""

    kind: str
    name: str
    path: Path
    source: str
    test_path: Path
    test_source: str

    @property
    def use(self) -> str:
        """``loss: my-gan``."""
        known = {"metric": chosen().metrics[0], "floor": chosen().floor}
        return USES.get(self.kind, f"{self.kind}: {{name}}").format(name=self.name, **known)

    def write(self) -> None:
        """Write both files; where one of them exists already, raises NotNewError and writes neither."""
        for path in (self.path, self.test_path):
            if path.exists():
                raise NotNewError(f"{path} is there already, and nothing is overwritten: choose another name")
        for path, content in ((self.path, self.source), (self.test_path, self.test_source)):
            make_folder(path.parent)
            # "x": a file that another process writes at the same moment is not overwritten.
            with path.open("x", encoding="utf-8") as file:
                file.write(content)


def new_plugin(kind: str, name: str, folder: Path = Path("plugins"), tests: Path = Path("tests")) -> NewPlugin:
    """A new plugin and its test, from templates; nothing is written yet.

    Args:
        kind: the kind of plugin, such as ``loss``.
        name: its name; ``my_gan``, ``My-GAN`` and ``my-gan`` are the same: ``my-gan``, in the file my_gan.py.
        folder: the folder of the plugin's file.
        tests: the folder of the test's file.

    Returns:
        The two files; their ``write`` writes them.

    Raises:
        NotNewError: the name is not allowed, or the plugin would be broken: for example a metric whose column every
            table has already.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*", name):
        raise NotNewError(f"{name!r} is no name for a plugin: letters and digits, a letter first, words joined by '-'")
    name = name.lower().replace("_", "-")
    stem = name.replace("-", "_")
    if len(name) > LONGEST:
        raise NotNewError(f"a name of {len(name)} characters is too long: at most {LONGEST}")
    if keyword.iskeyword(stem) or keyword.iskeyword(stem.title()):
        raise NotNewError(f"{name!r} is a keyword of Python: choose another name, such as 'my-{name}'")
    if stem in NEEDED or stem in sys.stdlib_module_names:
        raise NotNewError(f"{name!r} is a module that others import: choose another name, such as 'my-{name}'")
    if lost := lost_on_windows(f"{stem}.py"):
        raise NotNewError(lost)
    path, test_path = folder / f"{stem}.py", tests / f"test_{stem}.py"
    words = {
        "kind": kind,
        "name": name,
        "stem": stem,
        "column": stem,
        "title": name,
        "plugin": Path(os.path.relpath(path, tests)).as_posix(),
    }
    source, test_source = (
        Template((TEMPLATES / f"{which}.py.template").read_text(encoding="utf-8")).substitute(words)
        for which in (kind, "test")
    )
    _check_loads(path, source)
    return NewPlugin(kind, name, path, source, test_path, test_source)


def _check_loads(path: Path, source: str) -> None:
    from ganbench.plugin.entry import Broken
    from ganbench.plugin.loader import load_file

    for outcome in load_file(path, "new", source.encode()):
        if isinstance(outcome, Broken):
            raise NotNewError(f"{path} would be broken: {outcome.cause}")
