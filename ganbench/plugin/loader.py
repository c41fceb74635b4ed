"""Loads one plugin, a file or an installed module, alone, so that a broken one does not affect the others."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from ganbench.core.errors import raise_if_stopped
from ganbench.plugin.entry import Broken, Entry, NoPlugin
from ganbench.plugin.file_error import one_line
from ganbench.plugin.guest import Host, hosted
from ganbench.plugin.neighbours import imported, loaded_with
from ganbench.plugin.plugin_files import declared, has_hook, mentions_ganbench, parsed, unfit
from ganbench.plugin.yielded import NO_HOOK, OR_HELPER, entries_of


def load_file(path: Path, origin: str, source: bytes) -> list[Entry | Broken]:
    """Load a plugin file.

    Args:
        path: the file, which is not read again.
        origin: how it was found, as ``ganbench list`` shows it.
        source: the file's content.

    Returns:
        Its entries, or, where something is wrong with it, each cause as a ``Broken``.
    """
    text = source.decode("utf-8", "replace")
    identity = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    # Errors are never placed in a shipped file where a user's one is at fault.
    kind = "ganbench_plugin_shipped" if origin == "shipped" else "ganbench_plugin"
    module_name = f"{kind}_{identity}_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None:
        return [Broken(path, origin, "is no Python file", text)]
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look their module up here while it runs. The bytes that run are the bytes that are
    # hashed: Python's own cache of bytecode can be older, and would be written into the user's folder.
    sys.modules[module_name] = module
    from ganbench.core.unseeded import UNSEEDED, seeded  # late: it imports torch, which takes seconds

    try:
        with seeded("" if origin == "shipped" else module_name) as unseeded:
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        raise_if_stopped(error)
        del sys.modules[module_name]
        return [Broken(path, origin, one_line(error, path), text)]
    if "random" in unseeded:
        return [Broken(path, origin, f"line {unseeded['random'].rpartition(':')[2]}: {UNSEEDED}", text)]
    return entries_of(module, path, origin, hashlib.sha256(source).hexdigest(), text)


def looked_at(path: Path, origin: str) -> bytes | Broken:
    """The content of a file, or why it is not opened or cannot be read."""
    if reason := unfit(path):
        return NoPlugin(path, origin, reason)
    try:
        return path.read_bytes()
    except OSError as error:
        return Broken(path, origin, f"cannot be read: {error.strerror}")


def load_named(path: Path, origin: str) -> list[Entry | Broken]:
    """Load a file that the user names, as ``load_guest`` does; ``origin``: as ``ganbench list`` shows it."""
    source = looked_at(path, origin)
    if isinstance(source, Broken):
        return [source]
    if parsed(source) is None:
        return load_file(path, origin, source)  # which says where it is no Python
    with hosted() as host:
        return load_guest(path, origin, source, root=path.parent, host=host)


def load_guest(path: Path, origin: str, source: bytes, *, root: Path, host: Host) -> list[Entry | Broken]:
    """Look at a file that is not ganbench's own, and load it if it is a plugin; the process is as before afterwards.

    Args:
        path: the file, which is not read again.
        origin: how it was found, as ``ganbench list`` shows it.
        source: the file's content.
        root: the folder of plugins that it was found in: its neighbours are there, too.
        host: where it is executed.

    Returns:
        Its entries, or each cause why it has none; a ``NoPlugin`` where it was not executed.
    """
    text = source.decode("utf-8", "replace")
    if not mentions_ganbench(source):
        return [NoPlugin(path, origin, f"was not executed: it {NO_HOOK}", text)]
    tree = parsed(source)
    if tree is not None and not has_hook(tree):
        return [Broken(path, origin, f"{NO_HOOK}{OR_HELPER}", text)]
    before = {*sys.modules}
    with host.guest(path, root) as changes:
        outcomes = load_file(path, origin, source)
        uses = imported(tree, path, loaded_with(path, source, {*sys.modules} - before))
    entries = [replace(each, uses=uses) for each in outcomes if isinstance(each, Entry)]
    broken = [replace(each, declared=declared(tree)) for each in outcomes if isinstance(each, Broken)]
    if changes and not broken:
        sign, message = changes[0]
        at = next((f"line {at}: " for at, line in enumerate(text.splitlines(), 1) if re.search(sign, line)), "")
        broken = [Broken(path, origin, f"{at}{message}", text, declared(tree))]
    return [*broken] or [*entries]


def load_entry_point(point: EntryPoint, host: Host) -> list[Entry | Broken]:
    """Load an entry point of an installed package: its entries, or each cause why it is broken."""
    package = point.dist.name if point.dist else point.name
    origin = f"package {package}"
    with host.guest(None, None) as changes:
        try:
            plugin = point.load()
        except BaseException as error:
            raise_if_stopped(error)
            return [Broken(package, origin, f"{point.value}: {one_line(error, None)}", point.value)]
        outcomes = _of_package(plugin, point, package, origin)
    return [Broken(package, origin, f"{point.value}: {changes[0].message}", point.value)] if changes else outcomes


def _of_package(plugin: Any, point: EntryPoint, package: str, origin: str) -> list[Entry | Broken]:
    file = getattr(plugin, "__file__", None)
    source = Path(file).read_bytes() if file else point.value.encode()
    digest, text = hashlib.sha256(source).hexdigest(), source.decode("utf-8", "replace")
    uses = imported(parsed(source), Path(file)) if file else ()
    outcomes = entries_of(plugin, Path(file) if file else package, origin, digest, text)
    return [replace(each, uses=uses) if isinstance(each, Entry) else each for each in outcomes]
