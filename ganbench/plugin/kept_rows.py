"""The rows of the shipped plugins, kept from one ``ganbench list`` to the next: to execute them waits for torch.

Only those of shipped plugins are kept: they follow from files of ganbench and from what is installed, and from nothing
else. What a guest yields can follow from anything, a variable of the environment or the day, so guests are executed
each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ganbench.core.cache_folder import cache_folder
from ganbench.plugin import shipped
from ganbench.plugin.entry import Broken, Entry
from ganbench.plugin.listing import Row, rows_of
from ganbench.plugin.registry import load_shipped, shipped_sources

#: Seconds after which a file that was changed is the one that this process has loaded.
SETTLED = 60.0
_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_rows() -> tuple[list[Row], list[Broken]]:
    """The rows of the shipped plugins, and those that are broken: kept ones, or else made by executing all of them."""
    key, changed = _state()
    file = _file()
    if (kept := _kept(file, key)) is not None:
        return kept, []
    found = [*load_shipped(shipped_sources())]
    broken = [each for each in found if isinstance(each, Broken)]
    rows = rows_of([each for each in found if isinstance(each, Entry)])
    # What is broken may be whole again without a change that the key tells: such as a library that failed to load.
    # And a file that changes while it is loaded is not the one that the key tells of.
    if file is not None and not broken and time.time() - changed > SETTLED and _state()[0] == key:
        _keep(file, key, rows)
    return rows, broken


def _state() -> tuple[str, float]:
    """A digest of all that the rows follow from, and when a file of it was last changed.

    That is this Python; each file of the package and of the shipped plugins; and what can be imported, by its name: a
    distribution's folder has its version in its name, and a file that hides a library is seen by its own.
    """
    state = hashlib.sha256(f"{sys.version} {sys.flags} {sys.executable}".encode())
    changed = 0.0
    for folder in (_PACKAGE, shipped.folder("plugins")):
        for home, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for path in (Path(home, name) for name in sorted(files)):
                with suppress(OSError):
                    content = path.read_bytes()
                    state.update(f"{path} {len(content)} ".encode("utf-8", "surrogateescape") + content)
                    changed = max(changed, path.stat().st_mtime)
    for place in sys.path:
        with suppress(OSError):
            names = "\n".join((place, *sorted(os.listdir(place or "."))))
            state.update(names.encode("utf-8", "surrogateescape"))
    return state.hexdigest(), changed


def _file() -> Path | None:
    """Where the rows of this package are kept; None for a user without a home."""
    try:
        return cache_folder() / f"shipped-plugins-{hashlib.sha256(os.fsencode(_PACKAGE)).hexdigest()[:12]}.json"
    except RuntimeError:
        return None


def _kept(file: Path | None, key: str) -> list[Row] | None:
    """The rows in a file; None where it has none of this key, or is not whole."""
    if file is None:
        return None
    try:
        head, _, text = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if head != _head(key, text):
        return None
    return [row | {"source": Path(row["source"])} for row in json.loads(text)]


def _keep(file: Path, key: str, rows: list[Row]) -> None:
    text = json.dumps([row | {"source": str(row["source"])} for row in rows])
    # Where the folder cannot be written, nothing is kept. Each process writes a file of its own, which then gets the
    # name: a reader finds the old rows or the new ones.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False
        ) as new:
            new.write(f"{_head(key, text)}\n{text}")
        try:
            os.replace(new.name, file)
        except OSError:
            os.unlink(new.name)


def _head(key: str, text: str) -> str:
    """What stands before the rows: a file that was written in part, by a system that then stopped, has another."""
    return f"{key} {hashlib.sha256(text.encode()).hexdigest()}"
